//! Holding: after the log was put back from a backup no mail leaves until somebody says so, for those that wait may
//! have left after the backup was taken.

use infrastructure::upkeep::{HELD, Upkeep};

use crate::reactions::mail::{Fault, MailReaction, RELEASE};

/// Whether mails are held.
#[derive(Debug, Default)]
pub(super) enum Hold {
    /// The log has not been asked yet.
    #[default]
    Unknown,
    /// They are, until somebody releases them.
    Held,
    /// They are not, and will not be for as long as the program runs.
    Free,
}

impl MailReaction {
    /// Whether no mail may leave now.
    pub(super) async fn is_held(&mut self) -> Result<bool, Fault> {
        if matches!(self.hold, Hold::Free) {
            return Ok(false);
        }
        let asked = self.app.data.join(RELEASE);
        if asked.exists() {
            self.app.committer.upkeep(Upkeep::ReleaseDeliveries).await?;
            if let Err(error) = std::fs::remove_file(&asked) {
                tracing::warn!(%error, file = %asked.display(), "the request to release the mails stays behind");
            }
        }
        let reason = self.app.log.meta(HELD).await?;
        let held = reason.is_some();
        match (&self.hold, &reason) {
            (Hold::Unknown, Some(reason)) => {
                tracing::warn!(reason, "mails are held until `kundwebb deliveries release`");
            }
            (Hold::Held, None) => tracing::warn!("mails are released"),
            _ => {}
        }
        metrics::gauge!("kundwebb_mail_held").set(if held { 1.0 } else { 0.0 });
        self.app.reactions.mail.send_if_modified(|status| {
            let new = status.held != reason;
            status.held = reason;
            new
        });
        self.hold = if held { Hold::Held } else { Hold::Free };
        Ok(held)
    }
}
