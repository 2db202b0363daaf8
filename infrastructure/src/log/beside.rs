//! The tables beside the events, the same in every engine: what a log takes along when it moves to another. Events, keys
//! and numbers move as batches; leases stay behind.

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in order.
    pub columns: &'static [(&'static str, Kind)],
    /// How many of the first columns make a row unique.
    pub key: usize,
    /// Whether rows are added and never removed.
    pub grows: bool,
}

/// What a column holds; any may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sixteen bytes: an id.
    Id,
    /// Bytes.
    Bytes,
    /// Text.
    Text,
    /// A whole number.
    Integer,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// An id or bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
}

/// A row.
pub type Row = Vec<Value>;

use Kind::{Bytes, Id, Integer, Text};

/// Every table that moves.
pub static TABLES: &[Table] = &[
    Table { name: "attachment", columns: &[("attachment_id", Id), ("stream_id", Id)], key: 1, grows: true },
    Table {
        name: "command_outcome",
        columns: &[("command_id", Id), ("request", Bytes), ("outcome", Text), ("expires_at", Integer)],
        key: 1,
        grows: false,
    },
    Table {
        name: "session",
        columns: &[("session_id", Bytes), ("sealed", Bytes), ("expires_at", Integer)],
        key: 1,
        grows: false,
    },
    Table {
        name: "upload",
        columns: &[("upload_id", Id), ("owner", Id), ("sealed", Bytes), ("expires_at", Integer)],
        key: 1,
        grows: false,
    },
    Table {
        name: "draft",
        columns: &[("owner", Id), ("form", Id), ("sealed", Bytes), ("expires_at", Integer)],
        key: 2,
        grows: false,
    },
    Table { name: "reaction", columns: &[("name", Text), ("position", Integer)], key: 1, grows: false },
    Table {
        name: "delivery",
        columns: &[
            ("delivery_id", Id),
            ("reaction", Text),
            ("cause", Text),
            ("recipient", Id),
            ("template", Text),
            ("case_id", Id),
            ("position", Integer),
            ("state", Text),
            ("attempts", Integer),
            ("next_attempt_at", Integer),
            ("reply", Text),
        ],
        key: 1,
        grows: false,
    },
    Table { name: "meta", columns: &[("name", Text), ("value", Text)], key: 1, grows: false },
];

impl Table {
    /// The names of its columns, each as `form` has it, separated by commas.
    pub(super) fn list(&self, form: impl Fn(usize, &str, Kind) -> String) -> String {
        let columns =
            self.columns.iter().enumerate().map(|(place, (name, kind))| form(place + 1, name, *kind));
        columns.collect::<Vec<_>>().join(", ")
    }

    /// The columns that make a row unique.
    pub(super) fn keys(&self) -> String {
        self.columns[..self.key].iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }
}
