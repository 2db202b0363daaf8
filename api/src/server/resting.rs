//! Who is connected and rests, with no request under way: when there is no room for the next one, whoever has rested
//! longest is let go. So a crowd that only holds connections keeps nobody out.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Everybody who rests.
#[derive(Clone, Default)]
pub(super) struct Resting(Arc<Everybody>);

#[derive(Default)]
struct Everybody {
    list: Mutex<List>,
    more: Notify,
}

/// In the order in which they began to rest.
#[derive(Default)]
struct List {
    last: u64,
    places: BTreeMap<u64, CancellationToken>,
}

impl Resting {
    /// A connection, which rests until its first request has come.
    pub(super) fn enter(&self) -> Arc<Guest> {
        let guest = Guest { resting: self.clone(), let_go: CancellationToken::new(), at: Mutex::default() };
        guest.rest();
        Arc::new(guest)
    }

    /// Lets go who has rested longest, as soon as anybody rests.
    pub(super) async fn let_one_go(&self) {
        loop {
            let more = self.0.more.notified();
            if let Some((_, longest)) = self.list().places.pop_first() {
                longest.cancel();
                return;
            }
            more.await;
        }
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection.
pub(super) struct Guest {
    resting: Resting,
    let_go: CancellationToken,
    at: Mutex<At>,
}

/// What a connection does.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum At {
    #[default]
    Request,
    Rest(u64),
    End,
}

impl Guest {
    /// When this one is let go.
    pub(super) async fn let_go(&self) {
        self.let_go.cancelled().await;
    }

    /// A request has come; until what comes back is dropped this one does not rest.
    pub(super) fn begin(self: &Arc<Self>) -> Busy {
        self.go(At::Request);
        Busy(Arc::clone(self))
    }

    /// The connection has ended.
    pub(super) fn leave(&self) {
        self.go(At::End);
    }

    fn rest(&self) {
        let mut at = self.at();
        if *at != At::Request {
            return;
        }
        let mut list = self.resting.list();
        list.last += 1;
        let place = list.last;
        list.places.insert(place, self.let_go.clone());
        *at = At::Rest(place);
        drop(list);
        self.resting.0.more.notify_one();
    }

    fn go(&self, to: At) {
        let mut at = self.at();
        if let At::Rest(place) = *at {
            self.resting.list().places.remove(&place);
        }
        *at = to;
    }

    fn at(&self) -> MutexGuard<'_, At> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request under way.
pub(super) struct Busy(Arc<Guest>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.rest();
    }
}

/// The body of an answer, until whose end its request is under way.
pub(super) struct Answer {
    pub(super) body: Body,
    pub(super) _busy: Busy,
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn who_has_rested_longest_goes_first_and_nobody_in_the_middle_of_a_request() {
        let resting = Resting::default();
        let [first, second, third] = [(); 3].map(|()| resting.enter());
        let busy = first.begin();
        drop(second.begin());
        let gone = || [&first, &second, &third].map(|guest| guest.let_go.is_cancelled());
        assert!(resting.let_one_go().now_or_never().is_some());
        assert_eq!(gone(), [false, false, true]);
        second.leave();
        assert!(resting.let_one_go().now_or_never().is_none(), "nobody rests");
        drop(busy);
        assert!(resting.let_one_go().now_or_never().is_some());
        assert_eq!(gone(), [true, false, true]);
    }

    #[test]
    fn whoever_has_left_does_not_come_back() {
        let resting = Resting::default();
        let guest = resting.enter();
        let busy = guest.begin();
        guest.leave();
        drop(busy);
        assert!(resting.list().places.is_empty());
    }
}
