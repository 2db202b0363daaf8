//! The root of a Merkle tree (RFC 6962) over leaves that come one after the other.

use sha2::{Digest, Sha256};

use crate::recorded::LeafHash;

/// A tree that grows. It keeps the roots of the whole subtrees on its right edge, the largest first.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Each with the number of its leaves, a power of two.
    edge: Vec<(u64, LeafHash)>,
}

impl Tree {
    /// Adds a leaf, by its hash.
    pub fn push(&mut self, leaf: LeafHash) {
        let (mut size, mut hash) = (1, leaf);
        while let Some((left_size, left)) = self.edge.pop_if(|(left_size, _)| *left_size == size) {
            (size, hash) = (size + left_size, node(&left, &hash));
        }
        self.edge.push((size, hash));
    }

    /// The root; of no leaves the hash of nothing.
    pub fn root(&self) -> LeafHash {
        let mut edge = self.edge.iter().rev().map(|(_, hash)| *hash);
        let Some(last) = edge.next() else { return Sha256::digest([]).into() };
        edge.fold(last, |right, left| node(&left, &right))
    }
}

fn node(left: &LeafHash, right: &LeafHash) -> LeafHash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As RFC 6962, 2.1 defines it.
    fn defined(leaves: &[LeafHash]) -> LeafHash {
        match leaves {
            [] => Sha256::digest([]).into(),
            [leaf] => *leaf,
            _ => {
                let half = leaves.len().next_power_of_two() / 2;
                node(&defined(&leaves[..half]), &defined(&leaves[half..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_the_definition() {
        let mut tree = Tree::default();
        let mut leaves: Vec<LeafHash> = Vec::new();
        for number in 0..=130_u8 {
            assert_eq!(tree.root(), defined(&leaves), "{number} leaves");
            leaves.push(Sha256::digest([0, number]).into());
            tree.push(leaves[leaves.len() - 1]);
        }
    }

    /// The test vectors of the first implementation of certificate transparency: eight leaves, and their root.
    #[test]
    fn the_root_is_that_of_others() {
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let mut tree = Tree::default();
        for input in inputs {
            let leaf: Vec<u8> = [vec![0], hex::decode(input).unwrap()].concat();
            tree.push(Sha256::digest(leaf).into());
        }
        let root = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";
        assert_eq!(hex::encode(tree.root()), root);
    }
}
