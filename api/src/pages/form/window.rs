//! The window in which a form is open, and what a script says of it: by that what windows keep of one draft is told apart.

use infrastructure::random;
use uuid::Uuid;

/// The field that carries which window a form is open in.
const ID: &str = "window";
/// The field that carries which content of the draft the window shows; empty for none.
const SEEN: &str = "seen";
/// The field by which a script numbers what it keeps and sends of the window, rising.
const TURN: &str = "turn";
/// The field by which a script says that what it keeps may have been sent, or thrown away: nothing has answered.
const UNANSWERED: &str = "unanswered";

/// A window, as a form that came from it tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Which it is, of a form that says so.
    pub id: Option<Uuid>,
    /// Which content of the draft it shows.
    pub seen: Option<Uuid>,
    /// The window that kept that content.
    pub keeper: Option<Uuid>,
    /// Which keeping or sending by its script this is.
    pub turn: Option<u64>,
    /// Whether what it keeps may have been sent or thrown away.
    pub unanswered: bool,
}

impl Window {
    /// A window in which a form is shown for the first time.
    pub fn new() -> Self {
        Self { id: Some(random::id()), ..Self::default() }
    }

    /// Which window it is when its form is shown once more: each time another.
    pub fn shown(&self) -> Option<Uuid> {
        self.id.map(|_| random::id())
    }

    /// Takes what a field says of it; whether it is such a field.
    pub(super) fn read(&mut self, name: &str, value: &str) -> bool {
        match name {
            ID => self.id = value.trim().parse().ok(),
            SEEN => self.seen = value.trim().parse().ok(),
            TURN => self.turn = value.trim().parse().ok(),
            UNANSWERED => self.unanswered = true,
            _ => return false,
        }
        true
    }
}
