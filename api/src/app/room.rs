//! Room in memory for bodies that are kept whole while they come in: all of them together take no more than there is,
//! however many come at once and however slowly.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Failure;

/// What room is given out in, bytes.
const PIECE: usize = 1024;

/// The room that there is.
#[derive(Clone, Debug)]
pub struct Room(Arc<Semaphore>);

/// What one body takes of it, until it is dropped.
#[derive(Debug)]
pub struct Taken {
    room: Room,
    bytes: usize,
    permits: Vec<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for so many bytes.
    pub fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new((bytes / PIECE).min(Semaphore::MAX_PERMITS))))
    }

    /// Room for a body, of which nothing has come yet.
    pub fn begin(&self) -> Taken {
        Taken { room: self.clone(), bytes: 0, permits: Vec::new() }
    }
}

impl Taken {
    /// Takes room for so many bytes more; how many they are together.
    ///
    /// # Errors
    /// [`Failure::Busy`] when there is not so much.
    pub fn grow(&mut self, bytes: usize) -> Result<usize, Failure> {
        let grown = self.bytes.saturating_add(bytes);
        let pieces = grown.div_ceil(PIECE) - self.bytes.div_ceil(PIECE);
        if pieces > 0 {
            let pieces = u32::try_from(pieces).map_err(|_| Failure::Busy)?;
            let permit = Arc::clone(&self.room.0).try_acquire_many_owned(pieces);
            self.permits.push(permit.map_err(|_| Failure::Busy)?);
        }
        self.bytes = grown;
        Ok(grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_share_the_room_and_give_it_back() {
        let room = Room::of(10 * PIECE);
        let (mut one, mut other) = (room.begin(), room.begin());
        for byte in 1..=PIECE {
            assert_eq!(one.grow(1), Ok(byte));
        }
        assert_eq!(other.grow(9 * PIECE), Ok(9 * PIECE));
        assert_eq!(one.grow(1), Err(Failure::Busy));
        drop(other);
        assert_eq!(one.grow(9 * PIECE), Ok(10 * PIECE));
        assert_eq!(one.grow(0), Ok(10 * PIECE));
    }
}
