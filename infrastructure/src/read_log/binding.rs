//! How the log binds the read log: the roots that its events tell, and the proof that the rows are still those.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use domain::Event;

use crate::keys::Keys;
use crate::log::LogError;
use crate::read_log::merkle::Tree;
use crate::read_log::{ReadStore, StoredRead, Token, month_of, open_month, token};
use crate::recorded::LeafHash;
use crate::sealing::Key;

/// Rows read at a time.
const ROWS: usize = 1000;

/// What the log tells of the read log.
#[derive(Clone, Debug, Default)]
pub struct Bound {
    /// The rows that are bound, from one position to another, and the root.
    pub sealed: Vec<(u64, u64, String)>,
    /// The months whose keys are destroyed.
    pub destroyed: BTreeSet<String>,
}

impl Bound {
    /// Takes in what an event tells.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::ReadLogSealed { from, to, root } => self.sealed.push((*from, *to, root.clone())),
            Event::ReadLogKeyDestroyed { month } => drop(self.destroyed.insert(month.clone())),
            _ => {}
        }
    }

    /// The last position that is bound; 0 when none is.
    pub fn last(&self) -> u64 {
        self.sealed.iter().map(|(_, to, _)| *to).max().unwrap_or_default()
    }
}

/// The root over the rows from one position to another.
///
/// # Errors
/// When they cannot be read.
pub async fn root(store: &dyn ReadStore, from: u64, to: u64) -> Result<LeafHash, LogError> {
    let (mut tree, mut position) = (Tree::default(), from.saturating_sub(1));
    while position < to {
        let rows = store.reads_after(position, ROWS).await?;
        let Some(last) = rows.last() else { break };
        position = last.position;
        rows.iter().filter(|row| row.position <= to).for_each(|row| tree.push(row.compute_leaf_hash()));
    }
    Ok(tree.root())
}

/// What a proof has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// How many rows there are.
    pub rows: u64,
    /// How many of them opened with the keys of their months.
    pub opened: u64,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

/// Proves the read log against what the log tells of it.
///
/// # Errors
/// When it cannot be read.
pub async fn prove(store: &dyn ReadStore, keys: Option<&Keys>, bound: &Bound) -> Result<Proof, LogError> {
    let mut waiting = bound.sealed.clone();
    waiting.sort_unstable();
    waiting.reverse();
    let mut check = Check {
        bound,
        keys: match keys {
            Some(keys) => Some(months(store, keys).await?),
            None => None,
        },
        waiting,
        growing: Vec::new(),
        without_key: HashSet::new(),
        last: None,
        proof: Proof::default(),
    };
    let mut position = 0;
    loop {
        let rows = store.reads_after(position, ROWS).await?;
        let Some(last) = rows.last() else { break };
        let mut tokens: BTreeMap<u64, BTreeSet<Token>> = BTreeMap::new();
        for (place, token) in store.read_tokens(position, last.position).await? {
            tokens.entry(place).or_default().insert(token);
        }
        position = last.position;
        rows.iter().for_each(|row| check.row(row, &tokens));
    }
    Ok(check.finish(position))
}

/// The keys of the months; one that does not open is none.
async fn months(store: &dyn ReadStore, keys: &Keys) -> Result<BTreeMap<String, Key>, LogError> {
    let wrapped = store.read_keys().await?.into_iter();
    let open = |(month, wrapped): (String, Vec<u8>)| {
        let key = open_month(keys, &month, &wrapped).ok()?;
        Some((month, key))
    };
    Ok(wrapped.filter_map(open).collect())
}

struct Check<'a> {
    bound: &'a Bound,
    keys: Option<BTreeMap<String, Key>>,
    /// What is bound and begins later, the first last.
    waiting: Vec<(u64, u64, String)>,
    growing: Vec<((u64, u64, String), Tree)>,
    without_key: HashSet<String>,
    last: Option<StoredRead>,
    proof: Proof,
}

impl Check<'_> {
    fn wrong(&mut self, what: String) {
        self.proof.findings.push(what);
    }

    fn row(&mut self, row: &StoredRead, tokens: &BTreeMap<u64, BTreeSet<Token>>) {
        let at = row.position;
        let (before, time) =
            self.last.as_ref().map_or((0, i64::MIN), |last| (last.position, last.recorded_at));
        if at != before + 1 {
            self.wrong(format!("the rows from {} to {} are missing", before + 1, at - 1));
        }
        if row.leaf_hash != row.compute_leaf_hash() {
            self.wrong(format!("row {at} does not hash to its leaf hash"));
        }
        if row.recorded_at < time || row.month != month_of(row.at()) {
            self.wrong(format!("the time of row {at} goes back, or is not of its month"));
        }
        self.content(row, tokens.get(&at));
        self.grow(at, row.compute_leaf_hash());
        self.proof.rows += 1;
        self.last = Some(row.clone());
    }

    /// Whether the row opens, and is found by its cases; that it does not is right only where its key was to be destroyed.
    fn content(&mut self, row: &StoredRead, tokens: Option<&BTreeSet<Token>>) {
        let Some(keys) = &self.keys else { return };
        let Some(key) = keys.get(&row.month) else {
            if !self.bound.destroyed.contains(&row.month) && self.without_key.insert(row.month.clone()) {
                let month = &row.month;
                self.wrong(format!("the key of {month} is missing or foreign, and the log does not tell that it was destroyed"));
            }
            return;
        };
        let Ok(reading) = row.open(key) else {
            return self.wrong(format!("row {} does not open with the key of its month", row.position));
        };
        let wanted: BTreeSet<Token> = reading.cases.iter().map(|case| token(key, *case)).collect();
        if tokens.unwrap_or(&BTreeSet::new()) != &wanted {
            self.wrong(format!("row {} is not found by the cases that it tells of", row.position));
        }
        self.proof.opened += 1;
    }

    /// Adds a row to the trees that it belongs to, and compares those that end with it.
    fn grow(&mut self, at: u64, leaf: LeafHash) {
        while let Some(begun) = self.waiting.pop_if(|(from, ..)| *from <= at) {
            self.growing.push((begun, Tree::default()));
        }
        for ((_, to, _), tree) in &mut self.growing {
            if at <= *to {
                tree.push(leaf);
            }
        }
        self.compare(at);
    }

    /// Compares the trees that end at a position.
    fn compare(&mut self, at: u64) {
        let (ended, growing) =
            std::mem::take(&mut self.growing).into_iter().partition(|((_, to, _), _)| *to <= at);
        self.growing = growing;
        let ended: Vec<((u64, u64, String), Tree)> = ended;
        for ((from, to, root), tree) in ended {
            if hex::encode(tree.root()) != root {
                self.wrong(format!("the rows from {from} to {to} are not those that the log has bound"));
            }
        }
    }

    fn finish(mut self, last: u64) -> Proof {
        let bound = self.bound.last();
        if bound > last {
            self.wrong(format!(
                "the rows from {} to {bound}, which the log has bound, are missing",
                last + 1
            ));
        }
        // Those whose end is missing were named.
        self.growing.clear();
        self.proof
    }
}
