//! Protected identity (*skyddade personuppgifter*, LAW-12): a mark in the person's own stream.

use domain::{Event, PersonId, StreamId};
use infrastructure::CommandError;
use infrastructure::committer::Expected;
use infrastructure::tokens::Identity;
use projections::directory;

use crate::app::App;
use crate::app::callers::CallerError;

impl App {
    /// Marks a person as having protected identity, or takes the mark away; gives the position. The callers that the person
    /// has been are marked with the login.
    ///
    /// # Errors
    /// When the log cannot be written.
    pub async fn protect(
        &self,
        actor: PersonId,
        person: PersonId,
        protected: bool,
    ) -> Result<u64, CommandError> {
        self.append(actor, StreamId::from(person), Event::ProtectionChanged { protected }, Expected::Any)
            .await
    }

    /// Marks whoever logs in, unless that was done before.
    ///
    /// # Errors
    /// When the log cannot be written, or the read models cannot be read.
    pub async fn protect_login(&self, identity: &Identity) -> Result<(), CallerError> {
        let person = self.caller(identity.clone()).await?.actor.person;
        let known = self.query(move |tables| directory::is_protected(tables, person)).await;
        if known.is_ok_and(|known| known) {
            return Ok(());
        }
        let position = self.protect(person, person, true).await?;
        let _ = self.shown(person, Some(position)).await;
        Ok(())
    }
}
