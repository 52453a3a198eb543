//! Hashes: a listpack of fields and values in turn, or a table.

use super::limits::Limits;
use super::listpack::{Item, Listpack};
use super::segments::Segments;
use slotcore::resp::parse_i64;

/// Fields with their values.
#[derive(Clone, Debug)]
pub struct Hash {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Listpack(Listpack),
    Table(Box<Segments>),
}

/// A borrowed form, for whoever writes it as it is.
#[derive(Clone, Copy, Debug)]
pub enum HashForm<'a> {
    Listpack(&'a Listpack),
    Table(&'a Segments),
}

impl Default for Hash {
    fn default() -> Self {
        Self {
            form: Form::Listpack(Listpack::default()),
        }
    }
}

impl Hash {
    /// A hash that will not be a listpack, whatever its fields.
    pub fn table() -> Self {
        Self {
            form: Form::Table(Box::default()),
        }
    }

    /// A hash from a listpack that was checked to be one; `None` if fields come twice or the last has no value.
    pub fn from_listpack(list: Listpack, limits: &Limits) -> Option<Self> {
        let len = list.len();
        let mut seen = std::collections::HashSet::with_capacity(len / 2);
        let unique = list
            .pairs()
            .all(|(_, field, _)| seen.insert(field.text(&mut itoa::Buffer::new()).to_vec()));
        if !unique || !len.is_multiple_of(2) {
            return None;
        }
        let mut hash = Self {
            form: Form::Listpack(list),
        };
        if len / 2 > limits.hash_max_entries {
            hash.convert();
        }
        Some(hash)
    }

    /// What it is kept in.
    pub fn form(&self) -> HashForm<'_> {
        match &self.form {
            Form::Listpack(list) => HashForm::Listpack(list),
            Form::Table(table) => HashForm::Table(table),
        }
    }

    pub fn encoding(&self) -> &'static str {
        match self.form {
            Form::Listpack(_) => "listpack",
            Form::Table(_) => "hashtable",
        }
    }

    /// Fields.
    pub fn len(&self) -> usize {
        match &self.form {
            Form::Listpack(list) => list.len() / 2,
            Form::Table(table) => table.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes allocated.
    pub fn footprint(&self) -> usize {
        match &self.form {
            Form::Listpack(list) => list.footprint(),
            Form::Table(table) => table.footprint(),
        }
    }

    pub fn free_effort(&self) -> usize {
        match &self.form {
            Form::Listpack(_) => 1,
            Form::Table(table) => table.len(),
        }
    }

    /// The value of a field.
    pub fn get(&self, field: &[u8]) -> Option<Item<'_>> {
        match &self.form {
            Form::Listpack(list) => find(list, field).map(|(_, value)| list.get(value)),
            Form::Table(table) => table.get(field).map(Item::Text),
        }
    }

    pub fn contains(&self, field: &[u8]) -> bool {
        self.get(field).is_some()
    }

    /// Sets a field; true if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], limits: &Limits) -> bool {
        if let Form::Listpack(list) = &self.form
            && (field.len().max(value.len()) > limits.hash_max_value
                || !list.has_room_for(field.len() + value.len()))
        {
            self.convert();
        }
        let is_new = match &mut self.form {
            Form::Table(table) => return table.insert(field, value),
            Form::Listpack(list) => match find(list, field) {
                Some((_, at)) => {
                    list.replace(at, value);
                    false
                }
                None => {
                    list.push(field);
                    list.push(value);
                    true
                }
            },
        };
        if self.len() > limits.hash_max_entries {
            self.convert();
        }
        is_new
    }

    /// Removes a field; false if it is not there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Listpack(list) => {
                let found = find(list, field);
                if let Some((at, _)) = found {
                    list.remove(at, 2);
                }
                found.is_some()
            }
            Form::Table(table) => table.remove(field),
        }
    }

    /// Visits fields with their values: of a listpack in the order in which they were added.
    pub fn for_each(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        match &self.form {
            Form::Listpack(list) => list.pairs().for_each(|(_, field, value)| {
                visit(
                    field.text(&mut itoa::Buffer::new()),
                    value.text(&mut itoa::Buffer::new()),
                );
            }),
            Form::Table(table) => table.iter().for_each(|(field, value)| visit(field, value)),
        }
    }

    /// One step of a scan; see [`Segments::scan`]. A listpack comes all at once.
    pub fn scan(&self, cursor: u64, count: usize, visit: &mut dyn FnMut(&[u8], &[u8])) -> u64 {
        match &self.form {
            Form::Listpack(_) => {
                self.for_each(visit);
                0
            }
            Form::Table(table) => table.scan(cursor, count, visit),
        }
    }

    /// Lets `visit` see a random field with its value.
    pub fn random(&self, visit: &mut dyn FnMut(&[u8], &[u8])) {
        match &self.form {
            Form::Listpack(list) if !list.is_empty() => {
                let chosen = rand::random_range(0..self.len());
                if let Some(at) = list.seek(2 * chosen)
                    && let Some(value) = list.next(at)
                {
                    visit(
                        list.get(at).text(&mut itoa::Buffer::new()),
                        list.get(value).text(&mut itoa::Buffer::new()),
                    );
                }
            }
            Form::Listpack(_) => {}
            Form::Table(table) => {
                if let Some((field, value)) = table.random() {
                    visit(field, value);
                }
            }
        }
    }

    fn convert(&mut self) {
        let mut table = Box::new(Segments::default());
        self.for_each(&mut |field, value| {
            table.insert(field, value);
        });
        self.form = Form::Table(table);
    }
}

/// Offsets of a field and its value.
fn find(list: &Listpack, field: &[u8]) -> Option<(usize, usize)> {
    let number = parse_i64(field);
    let mut items = list.iter();
    loop {
        let (at, item) = items.next()?;
        let (value, _) = items.next()?;
        if item.is(field, number) {
            return Some((at, value));
        }
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        let mut same = self.len() == other.len();
        self.for_each(&mut |field, value| {
            same = same
                && other
                    .get(field)
                    .is_some_and(|own| own.is(value, parse_i64(value)));
        });
        same
    }
}

impl Eq for Hash {}
