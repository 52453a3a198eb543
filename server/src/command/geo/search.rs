//! GEOSEARCH, GEOSEARCHSTORE, and the older GEORADIUS and GEORADIUSBYMEMBER with their read-only forms.

use super::area::cells;
use super::geohash::{Cell, Point};
use super::shape::{Form, Shape};
use super::unit::{length_arg, point_arg, point_of, unit_arg, write_distance, write_point};
use crate::command::call::Call;
use crate::command::reply_error::ErrorReply;
use crate::command::sorted_set::store;
use crate::keyspace::{CollectionType, SortedSet};

/// Which command it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Command {
    /// The center is a point, or a member; the result may be stored, or not.
    Radius {
        by_member: bool,
        may_store: bool,
    },
    Search,
    SearchStore,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sorting {
    Ascending,
    Descending,
}

/// What is asked for.
struct Request<'a> {
    center: Option<Point>,
    has_center: bool,
    center_is_member: bool,
    form: Option<(Form, f64)>,
    with_distance: bool,
    with_hash: bool,
    with_point: bool,
    any: bool,
    /// 0: all.
    count: usize,
    sorting: Option<Sorting>,
    store: Option<&'a [u8]>,
    store_distance: bool,
}

/// A member that is in the shape.
struct Found {
    member: Vec<u8>,
    score: f64,
    point: Point,
    /// Meters.
    distance: f64,
}

pub fn georadius(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(
        call,
        Command::Radius {
            by_member: false,
            may_store: true,
        },
    )
}

pub fn georadius_ro(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(
        call,
        Command::Radius {
            by_member: false,
            may_store: false,
        },
    )
}

pub fn georadiusbymember(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(
        call,
        Command::Radius {
            by_member: true,
            may_store: true,
        },
    )
}

pub fn georadiusbymember_ro(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(
        call,
        Command::Radius {
            by_member: true,
            may_store: false,
        },
    )
}

pub fn geosearch(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(call, Command::Search)
}

pub fn geosearchstore(call: &mut Call<'_>) -> Result<(), ErrorReply> {
    run(call, Command::SearchStore)
}

/// What is searched: it has been looked up, and its type is right.
fn searched<'c>(call: &'c Call<'_>, source: usize) -> Option<&'c SortedSet> {
    let entry = call.held.look(&call.keys[source], call.now)?;
    SortedSet::of(entry.collection()?)
}

/// The center is that of a member, which is there if the key is.
fn center_of(set: Option<&SortedSet>, member: &[u8]) -> Result<Option<Point>, ErrorReply> {
    let undecodable = ErrorReply::fixed("ERR could not decode requested zset member");
    set.map(|set| point_of(set, member).ok_or(undecodable))
        .transpose()
}

fn circle_arg(call: &Call<'_>, i: usize) -> Result<(Form, f64), ErrorReply> {
    let radius = length_arg(call, i, "ERR need numeric radius")?;
    if radius < 0.0 {
        return Err(ErrorReply::fixed("ERR radius cannot be negative"));
    }
    Ok((Form::Circle { radius }, unit_arg(call, i + 1)?))
}

fn box_arg(call: &Call<'_>, i: usize) -> Result<(Form, f64), ErrorReply> {
    let width = length_arg(call, i, "ERR need numeric width")?;
    let height = length_arg(call, i + 1, "ERR need numeric height")?;
    if width < 0.0 || height < 0.0 {
        return Err(ErrorReply::fixed("ERR height or width cannot be negative"));
    }
    Ok((Form::Box { width, height }, unit_arg(call, i + 2)?))
}

impl<'a> Request<'a> {
    fn parse(call: &mut Call<'a>, command: Command, source: usize) -> Result<Self, ErrorReply> {
        let mut request = Self {
            center: None,
            has_center: false,
            center_is_member: false,
            form: None,
            with_distance: false,
            with_hash: false,
            with_point: false,
            any: false,
            count: 0,
            sorting: None,
            store: None,
            store_distance: false,
        };
        let args = call.args;
        let first = match command {
            Command::Radius { by_member: false, .. } => {
                request.center = Some(point_arg(call, 2)?);
                request.form = Some(circle_arg(call, 4)?);
                6
            }
            Command::Radius { by_member: true, .. } => {
                request.center = center_of(searched(call, source), args.at(2))?;
                if request.center.is_some() {
                    request.form = Some(circle_arg(call, 3)?);
                }
                5
            }
            Command::Search => 2,
            Command::SearchStore => {
                request.store = Some(args.at(1));
                3
            }
        };
        let mut at = first;
        while at < args.len() {
            at += request.option(call, command, source, at)?;
        }
        Ok(request)
    }

    /// Reads the option at `at`; how many arguments it has taken.
    fn option(
        &mut self,
        call: &mut Call<'a>,
        command: Command,
        source: usize,
        at: usize,
    ) -> Result<usize, ErrorReply> {
        let behind = call.args.len() - at - 1;
        let searches = matches!(command, Command::Search | Command::SearchStore);
        let may_store = command
            == Command::Radius {
                by_member: false,
                may_store: true,
            }
            || command
                == Command::Radius {
                    by_member: true,
                    may_store: true,
                };
        let from_member = searches && self.has_center && self.center_is_member;
        let from_point = searches && self.has_center && !self.center_is_member;
        let is_circle = matches!(self.form, Some((Form::Circle { .. }, _)));
        let is_box = matches!(self.form, Some((Form::Box { .. }, _)));
        match call.args.at(at).to_ascii_lowercase().as_slice() {
            b"withdist" => self.with_distance = true,
            b"withhash" => self.with_hash = true,
            b"withcoord" => self.with_point = true,
            b"any" => self.any = true,
            b"asc" => self.sorting = Some(Sorting::Ascending),
            b"desc" => self.sorting = Some(Sorting::Descending),
            b"count" if behind >= 1 => {
                let count = call.int_arg(at + 1)?;
                self.count = usize::try_from(count)
                    .ok()
                    .filter(|&count| count > 0)
                    .ok_or(ErrorReply::fixed("ERR COUNT must be > 0"))?;
                return Ok(2);
            }
            option @ (b"store" | b"storedist") if may_store && behind >= 1 => {
                self.store_distance = option == b"storedist";
                self.store = Some(call.args.at(at + 1));
                return Ok(2);
            }
            b"frommember" if searches && behind >= 1 && !from_point => {
                let member = call.args.at(at + 1);
                self.center = center_of(searched(call, source), member)?;
                (self.has_center, self.center_is_member) = (true, true);
                return Ok(2);
            }
            b"fromlonlat" if searches && behind >= 2 && !from_member => {
                self.center = Some(point_arg(call, at + 1)?);
                self.has_center = true;
                return Ok(3);
            }
            b"byradius" if searches && behind >= 2 && !is_box => {
                self.form = Some(circle_arg(call, at + 1)?);
                return Ok(3);
            }
            b"bybox" if searches && behind >= 3 && !is_circle => {
                self.form = Some(box_arg(call, at + 1)?);
                return Ok(4);
            }
            b"storedist" if command == Command::SearchStore => self.store_distance = true,
            _ => return Err(ErrorReply::SYNTAX),
        }
        Ok(1)
    }

    fn check(&self, call: &Call<'_>, command: Command) -> Result<(), ErrorReply> {
        let quoted = |text: &str| {
            let mut text = text.as_bytes().to_vec();
            text.extend_from_slice(call.args.at(0));
            Err(ErrorReply::from_bytes(text))
        };
        if self.store.is_some() && (self.with_distance || self.with_hash || self.with_point) {
            return Err(ErrorReply::fixed(if command == Command::SearchStore {
                "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            } else {
                "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options"
            }));
        }
        if matches!(command, Command::Search | Command::SearchStore) {
            if !self.has_center {
                return quoted("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ");
            }
            if self.form.is_none() {
                return quoted("ERR exactly one of BYRADIUS and BYBOX can be specified for ");
            }
        }
        if self.any && self.count == 0 {
            return Err(ErrorReply::fixed("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// The members in the shape, sorted, as many as are wanted.
    fn search(&self, set: &SortedSet) -> Vec<Found> {
        let (Some(center), Some((form, unit))) = (self.center, self.form) else {
            return Vec::new();
        };
        let shape = Shape { center, form, unit };
        let most = if self.any { self.count } else { usize::MAX };
        let mut found = Vec::new();
        for cell in cells(&shape) {
            if found.len() < most {
                collect(set, cell, &shape, most, &mut found);
            }
        }
        // The closest ones are meant if not all are wanted.
        let sorting = match self.sorting {
            None if self.count > 0 && !self.any => Some(Sorting::Ascending),
            sorting => sorting,
        };
        match sorting {
            Some(Sorting::Ascending) => found.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
            Some(Sorting::Descending) => found.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
            None => {}
        }
        if self.count > 0 {
            found.truncate(self.count);
        }
        found
    }
}

/// Adds the members of a cell that are in the shape.
fn collect(set: &SortedSet, cell: Cell, shape: &Shape, most: usize, found: &mut Vec<Found>) {
    let (min, max) = cell.scores();
    let start = set.scores_before(&|score| score < min);
    let end = set.scores_before(&|score| score < max);
    set.visit(start..end.max(start), false, &mut |member, score| {
        let point = Cell::from_score(score).middle();
        if found.len() < most
            && let Some(distance) = shape.distance_within(point)
        {
            found.push(Found {
                member: member.to_vec(),
                score,
                point,
                distance,
            });
        }
    });
}

fn run(call: &mut Call<'_>, command: Command) -> Result<(), ErrorReply> {
    let source = usize::from(command == Command::SearchStore);
    call.read::<SortedSet>(source)?;
    let request = Request::parse(call, command, source)?;
    request.check(call, command)?;
    let unit = request.form.map_or(1.0, |(_, unit)| unit);
    let found = searched(call, source).map_or_else(Vec::new, |set| request.search(set));
    match request.store {
        None => {
            reply(call, &request, &found, unit);
            Ok(())
        }
        Some(destination) => keep(call, &request, &found, unit, destination),
    }
}

fn reply(call: &mut Call<'_>, request: &Request<'_>, found: &[Found], unit: f64) {
    let details = [request.with_distance, request.with_hash, request.with_point]
        .into_iter()
        .filter(|&asked| asked)
        .count();
    let out = &mut call.out;
    out.array(found.len());
    for one in found {
        if details > 0 {
            out.array(1 + details);
        }
        out.bulk(&one.member);
        if request.with_distance {
            write_distance(out, one.distance / unit);
        }
        if request.with_hash {
            out.integer(one.score as i64);
        }
        if request.with_point {
            write_point(out, one.point);
        }
    }
}

/// Stores scores, or distances in the unit of the request.
fn keep(
    call: &mut Call<'_>,
    request: &Request<'_>,
    found: &[Found],
    unit: f64,
    destination: &[u8],
) -> Result<(), ErrorReply> {
    let limits = call.limits();
    let keys = call.keys;
    // The command table names the same keys.
    let destination = keys
        .iter()
        .find(|key| key.bytes == destination)
        .ok_or(ErrorReply::SYNTAX)?;
    let longest = found.iter().map(|one| one.member.len()).max().unwrap_or(0);
    let mut result = SortedSet::for_members(found.len(), longest, &limits);
    for one in found {
        let score = if request.store_distance {
            one.distance / unit
        } else {
            one.score
        };
        result.insert(&one.member, score, &limits);
    }
    let event = if call.spec.name == "geosearchstore" {
        "geosearchstore"
    } else {
        "georadiusstore"
    };
    store(call, destination, result, event);
    call.out.integer(found.len() as i64);
    Ok(())
}
