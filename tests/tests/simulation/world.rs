//! A whole cluster in simulated time: the nodes, what is between them, and the judge that watches.

use super::chance::Chance;
use super::faults::Faults;
use super::judge::Judge;
use super::net::Net;
use super::node::Node;
use super::queue::{Event, Queue};
use super::shape::Shape;
use super::trace::Trace;

pub struct World {
    /// Simulated unix ms.
    pub now: u64,
    pub chance: Chance,
    pub shape: Shape,
    pub nodes: Vec<Node>,
    pub net: Net,
    pub queue: Queue,
    pub faults: Faults,
    pub judge: Judge,
    pub trace: Trace,
    /// The first thing that must never happen and did.
    pub violation: Option<String>,
}

const START_MS: u64 = 1_700_000_000_000;

impl World {
    pub fn new(seed: u64, shown: bool) -> Self {
        let mut chance = Chance::new(seed);
        let shape = Shape::draw(&mut chance);
        Self::with_shape(shown, chance, shape)
    }

    pub fn with_shape(shown: bool, mut chance: Chance, shape: Shape) -> Self {
        let count = shape.nodes();
        let mut nodes = Vec::with_capacity(count);
        for place in 0..count {
            let (id, lag_ms) = (chance.id(), chance.below(60));
            let mut node = Node::new(place, id, shape.settings.clone(), lag_ms, START_MS);
            node.skew_ms = chance.below(2 * shape.skew_ms + 1) as i64 - shape.skew_ms as i64;
            nodes.push(node);
        }
        let net = Net::new(count, shape.delay_ms, shape.jitter_ms);
        let mut world = Self {
            now: START_MS,
            chance,
            shape,
            nodes,
            net,
            queue: Queue::default(),
            faults: Faults::default(),
            judge: Judge::default(),
            trace: Trace::new(shown),
            violation: None,
        };
        world.note(|world| format!("{:?}", world.shape));
        for at in 0..count {
            world.start(at, true);
        }
        world
    }

    /// Lets time pass, up to a moment, or to the first violation.
    pub fn run_until(&mut self, until: u64) -> Result<(), String> {
        while let Some((at, event)) = self.queue.take(until) {
            self.now = at;
            self.happen(event);
            if let Some(violation) = &self.violation {
                return Err(violation.clone());
            }
        }
        self.now = until;
        match &self.violation {
            Some(violation) => Err(violation.clone()),
            None => Ok(()),
        }
    }

    pub fn run(&mut self, ms: u64) -> Result<(), String> {
        self.run_until(self.now + ms)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake { node } => self.wake(node),
            Event::Syn { conn } => self.syn(conn),
            Event::DialFailed { conn, refused } => self.dial_failed(conn, refused),
            Event::Arrive { conn, to, item } => self.arrive(conn, to, item),
            Event::Flush { conn, to } => self.flush(conn, to),
            Event::Undo(number) => self.undo_number(number),
            Event::Strike => self.strike_and_go_on(),
            Event::Admin(task) => self.work(task),
        }
    }

    /// Something that a reader of the trace wants to know.
    pub fn note(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.trace.shown {
            let text = text(self);
            eprintln!("{:>9} {text}", self.now - START_MS);
        }
    }

    /// The first violation counts.
    pub fn fail(&mut self, what: String) {
        let at = self.now - START_MS;
        self.violation
            .get_or_insert_with(|| format!("after {at} ms: {what}"));
    }
}
