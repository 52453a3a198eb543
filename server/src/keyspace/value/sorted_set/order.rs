//! Elements in order: a tree whose nodes know how many elements are below them.
//!
//! ```text
//! inner node: up to 64 children, each with its first element and its number of elements
//!   leaf: up to 128 elements, 24 bytes each
//! ```
//!
//! Places are ranks: the tree compares nothing itself. An insertion or a removal changes one node a level. Nodes are shared
//! between copies of a tree until one of them changes them, so that a copy costs one pointer, and the first changes after it
//! a path each.

use std::ops::Range;
use std::sync::Arc;

use super::super::super::size_class;
use super::name::Name;

/// Elements of a leaf.
const LEAF_MAX: usize = 128;
/// Children of an inner node.
const CHILDREN_MAX: usize = 64;
/// A leaf grows by so many elements at a time, an inner node by so many children.
const GROWTH: usize = 16;

/// A member with its score.
#[derive(Clone, Debug)]
pub struct Element {
    pub score: f64,
    pub name: Name,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(Vec<Element>),
    Inner(Vec<Child>),
}

#[derive(Clone, Debug)]
struct Child {
    first: Element,
    count: usize,
    node: Arc<Node>,
}

/// The tree.
#[derive(Clone, Debug)]
pub struct Order {
    root: Arc<Node>,
    len: usize,
    /// Bytes of the nodes.
    bytes: usize,
}

impl Default for Order {
    fn default() -> Self {
        let root = Node::Leaf(Vec::new());
        Self {
            bytes: root.footprint(),
            root: Arc::new(root),
            len: 0,
        }
    }
}

impl Order {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        self.bytes
    }

    /// How many elements, from the first on, `is_before` accepts. It accepts none behind one that it does not.
    pub fn partition(&self, mut is_before: impl FnMut(&Element) -> bool) -> usize {
        let (mut node, mut rank) = (&*self.root, 0);
        loop {
            match node {
                Node::Leaf(elements) => return rank + elements.partition_point(is_before),
                Node::Inner(children) => {
                    let behind = children.partition_point(|child| is_before(&child.first));
                    let at = behind.saturating_sub(1);
                    rank += children[..at].iter().map(|child| child.count).sum::<usize>();
                    node = &children[at].node;
                }
            }
        }
    }

    /// Visits the elements of these ranks, the last one first if `reverse`.
    pub fn visit<'a>(&'a self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&'a Element)) {
        let ranks = ranks.start..ranks.end.min(self.len);
        if !ranks.is_empty() {
            self.root.visit(ranks, reverse, visit);
        }
    }

    /// Inserts an element that will have this rank.
    ///
    /// # Panics
    /// If there are fewer elements.
    pub fn insert(&mut self, rank: usize, element: Element) {
        assert!(rank <= self.len, "a rank is at most the number of elements");
        if let Some(right) = edit(&mut self.root, &mut self.bytes, |node, bytes| {
            node.insert(rank, element, bytes)
        }) {
            let left = Arc::clone(&self.root);
            let root = Node::Inner(vec![Child::new(left), right]);
            self.bytes += root.footprint();
            self.root = Arc::new(root);
        }
        self.len += 1;
    }

    /// Takes the element of this rank out.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove(&mut self, rank: usize) -> Element {
        assert!(rank < self.len, "a rank is below the number of elements");
        let removed = edit(&mut self.root, &mut self.bytes, |node, bytes| {
            node.remove(rank, bytes)
        });
        self.len -= 1;
        while let Node::Inner(children) = &*self.root
            && let [only] = &children[..]
        {
            let node = Arc::clone(&only.node);
            self.bytes -= self.root.footprint();
            self.root = node;
        }
        removed
    }
}

/// Changes a node, a copy of it if it is shared, and keeps the books: what `edit` does to other nodes it counts itself.
fn edit<R>(node: &mut Arc<Node>, bytes: &mut usize, edit: impl FnOnce(&mut Node, &mut usize) -> R) -> R {
    *bytes -= node.footprint();
    let node = Arc::make_mut(node);
    let result = edit(node, bytes);
    *bytes += node.footprint();
    result
}

impl Child {
    fn new(node: Arc<Node>) -> Self {
        Self {
            first: node.first().clone(),
            count: node.count(),
            node,
        }
    }
}

impl Node {
    fn footprint(&self) -> usize {
        let room = match self {
            Self::Leaf(elements) => elements.capacity() * size_of::<Element>(),
            Self::Inner(children) => children.capacity() * size_of::<Child>(),
        };
        let own = size_of::<Self>() + 2 * size_of::<usize>();
        own + if room == 0 { 0 } else { size_class::round_up(room) }
    }

    /// Elements of a leaf, children of an inner node.
    fn width(&self) -> usize {
        match self {
            Self::Leaf(elements) => elements.len(),
            Self::Inner(children) => children.len(),
        }
    }

    fn count(&self) -> usize {
        match self {
            Self::Leaf(elements) => elements.len(),
            Self::Inner(children) => children.iter().map(|child| child.count).sum(),
        }
    }

    fn first(&self) -> &Element {
        match self {
            Self::Leaf(elements) => &elements[0],
            Self::Inner(children) => &children[0].first,
        }
    }

    fn visit<'a>(&'a self, ranks: Range<usize>, reverse: bool, visit: &mut dyn FnMut(&'a Element)) {
        match self {
            Self::Leaf(elements) if reverse => elements[ranks].iter().rev().for_each(visit),
            Self::Leaf(elements) => elements[ranks].iter().for_each(visit),
            Self::Inner(children) => {
                let mut before = 0;
                let mut parts: Vec<(&Self, Range<usize>)> = Vec::new();
                for child in children {
                    let (from, to) = (ranks.start.max(before), ranks.end.min(before + child.count));
                    if from < to {
                        parts.push((&child.node, from - before..to - before));
                    }
                    before += child.count;
                }
                if reverse {
                    parts.reverse();
                }
                for (node, ranks) in parts {
                    node.visit(ranks, reverse, visit);
                }
            }
        }
    }

    /// Inserts an element, and gives up the right half if that is too much. What is appended, or put in front, leaves full
    /// nodes behind.
    fn insert(&mut self, at: usize, element: Element, bytes: &mut usize) -> Option<Child> {
        let right = match self {
            Self::Leaf(elements) => {
                let cut = cut(elements.len() < LEAF_MAX, at, elements.len());
                let mut right = cut.map_or_else(Vec::new, |cut| split(elements, cut));
                match cut {
                    Some(cut) if at > cut || cut == LEAF_MAX => insert(&mut right, at - cut, element),
                    _ => insert(elements, at, element),
                }
                cut.map(|_| Self::Leaf(right))
            }
            Self::Inner(children) => {
                let (place, at) = place(children, at);
                let child = &mut children[place];
                let new = edit(&mut child.node, bytes, |node, bytes| {
                    node.insert(at, element, bytes)
                });
                *child = Child::new(Arc::clone(&child.node));
                let (place, new) = (place + 1, new?);
                let cut = cut(children.len() < CHILDREN_MAX, place, children.len());
                let mut right = cut.map_or_else(Vec::new, |cut| split(children, cut));
                match cut {
                    Some(cut) if place > cut || cut == CHILDREN_MAX => insert(&mut right, place - cut, new),
                    _ => insert(children, place, new),
                }
                cut.map(|_| Self::Inner(right))
            }
        };
        right.map(|right| {
            *bytes += right.footprint();
            Child::new(Arc::new(right))
        })
    }

    /// Takes an element out. A child that has become empty goes, one that has become small joins its neighbour.
    fn remove(&mut self, at: usize, bytes: &mut usize) -> Element {
        match self {
            Self::Leaf(elements) => {
                let removed = elements.remove(at);
                if elements.capacity() > elements.len() + 2 * GROWTH {
                    elements.shrink_to(elements.len() + GROWTH);
                }
                removed
            }
            Self::Inner(children) => {
                let (place, at) = place(children, at + 1);
                let child = &mut children[place];
                let removed = edit(&mut child.node, bytes, |node, bytes| node.remove(at - 1, bytes));
                if child.node.width() == 0 {
                    *bytes -= child.node.footprint();
                    children.remove(place);
                } else {
                    *child = Child::new(Arc::clone(&child.node));
                    join(children, place, bytes);
                }
                removed
            }
        }
    }
}

/// The first child that has the boundary before element `at`, or behind it at its end, and where in it.
fn place(children: &[Child], mut at: usize) -> (usize, usize) {
    for (place, child) in children.iter().enumerate() {
        if at <= child.count {
            return (place, at);
        }
        at -= child.count;
    }
    unreachable!("a rank is at most the number of elements")
}

/// Where a node of this width is cut to make room at `at`, if it has none.
fn cut(has_room: bool, at: usize, width: usize) -> Option<usize> {
    if has_room {
        None
    } else if at == width || at == 0 {
        Some(at)
    } else {
        Some(width / 2)
    }
}

fn split<T>(all: &mut Vec<T>, at: usize) -> Vec<T> {
    let right = all.split_off(at);
    all.shrink_to_fit();
    right
}

fn insert<T>(all: &mut Vec<T>, at: usize, one: T) {
    if all.len() == all.capacity() {
        all.reserve_exact(GROWTH);
    }
    all.insert(at, one);
}

/// Makes one node of a small child and a neighbour, if together they fill no more than half of one.
fn join(children: &mut Vec<Child>, place: usize, bytes: &mut usize) {
    let max = match &*children[place].node {
        Node::Leaf(_) => LEAF_MAX / 2,
        Node::Inner(_) => CHILDREN_MAX / 2,
    };
    let width = |place: usize| children.get(place).map_or(max, |child| child.node.width());
    let left = if width(place) + width(place + 1) <= max {
        place
    } else if place > 0 && width(place - 1) + width(place) <= max {
        place - 1
    } else {
        return;
    };
    let right = children.remove(left + 1);
    *bytes -= right.node.footprint();
    let child = &mut children[left];
    edit(&mut child.node, bytes, |node, _| {
        match (node, Arc::unwrap_or_clone(right.node)) {
            (Node::Leaf(to), Node::Leaf(from)) => to.extend(from),
            (Node::Inner(to), Node::Inner(from)) => to.extend(from),
            _ => unreachable!("all leaves are equally deep"),
        }
    });
    *child = Child::new(Arc::clone(&child.node));
}

// A leaf of 128 is 3 kB.
const _: () = assert!(size_of::<Element>() == 24);
