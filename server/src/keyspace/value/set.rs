//! Sets: an intset as long as all members are integers and few, or a table.

use super::intset::Intset;
use super::limits::Limits;
use super::listpack::Item;
use super::segments::Segments;
use slotcore::resp::parse_i64;

/// Members, each once.
#[derive(Clone, Debug)]
pub struct Set {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Intset(Intset),
    Table(Box<Segments>),
}

/// A borrowed form, for whoever writes it as it is.
#[derive(Clone, Copy, Debug)]
pub enum SetForm<'a> {
    Intset(&'a Intset),
    Table(&'a Segments),
}

impl Default for Set {
    fn default() -> Self {
        Self {
            form: Form::Intset(Intset::default()),
        }
    }
}

impl Set {
    /// A set of these integers.
    pub fn from_intset(numbers: Intset, limits: &Limits) -> Self {
        let mut set = Self {
            form: Form::Intset(numbers),
        };
        if set.len() > limits.set_max_intset_entries {
            set.convert();
        }
        set
    }

    /// A set that will not be an intset, whatever its members.
    pub fn table() -> Self {
        Self {
            form: Form::Table(Box::default()),
        }
    }

    /// What it is kept in.
    pub fn form(&self) -> SetForm<'_> {
        match &self.form {
            Form::Intset(numbers) => SetForm::Intset(numbers),
            Form::Table(table) => SetForm::Table(table),
        }
    }

    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Intset(_) => "intset",
            Form::Table(_) => "hashtable",
        }
    }

    /// Members.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Intset(numbers) => numbers.len(),
            Form::Table(table) => table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        match &self.form {
            Form::Intset(numbers) => numbers.footprint(),
            Form::Table(table) => table.footprint(),
        }
    }

    pub fn free_effort(&self) -> usize {
        match &self.form {
            Form::Intset(_) => 1,
            Form::Table(table) => table.len(),
        }
    }

    pub fn contains(&self, member: &[u8]) -> bool {
        match &self.form {
            Form::Intset(numbers) => parse_i64(member).is_some_and(|number| numbers.contains(number)),
            Form::Table(table) => table.contains(member),
        }
    }

    /// Adds a member; false if it is there already.
    pub fn insert(&mut self, member: &[u8], limits: &Limits) -> bool {
        if let Form::Intset(numbers) = &mut self.form {
            if let Some(number) = parse_i64(member) {
                let is_new = numbers.insert(number);
                if numbers.len() > limits.set_max_intset_entries {
                    self.convert();
                }
                return is_new;
            }
            self.convert();
        }
        match &mut self.form {
            Form::Table(table) => !table.contains(member) && table.insert(member, b""),
            Form::Intset(_) => unreachable!("it was converted above"),
        }
    }

    /// Removes a member; false if it is not there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match &mut self.form {
            Form::Intset(numbers) => parse_i64(member).is_some_and(|number| numbers.remove(number)),
            Form::Table(table) => table.remove(member),
        }
    }

    /// Members: integers in ascending order, others in no order.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Item<'_>> + '_> {
        match &self.form {
            Form::Intset(numbers) => Box::new(numbers.iter().map(Item::Int)),
            Form::Table(table) => Box::new(table.iter().map(|(member, _)| Item::Text(member))),
        }
    }

    /// One step of a scan; see [`Segments::scan`]. An intset comes all at once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&[u8])) -> u64 {
        match &self.form {
            Form::Intset(numbers) => {
                numbers
                    .iter()
                    .for_each(|number| visit(itoa::Buffer::new().format(number).as_bytes()));
                0
            }
            Form::Table(table) => table.scan(cursor, count, &mut |member, _| visit(member)),
        }
    }

    /// A random member, each as likely as any other.
    pub fn random(&self) -> Option<Item<'_>> {
        match &self.form {
            Form::Intset(numbers) => {
                (!numbers.is_empty()).then(|| Item::Int(numbers.get(rand::random_range(0..numbers.len()))))
            }
            Form::Table(table) => table.random().map(|(member, _)| Item::Text(member)),
        }
    }

    fn convert(&mut self) {
        let mut table = Box::new(Segments::default());
        for member in self.iter() {
            table.insert(member.text(&mut itoa::Buffer::new()), b"");
        }
        self.form = Form::Table(table);
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|member| other.contains(member.text(&mut itoa::Buffer::new())))
    }
}

impl Eq for Set {}
