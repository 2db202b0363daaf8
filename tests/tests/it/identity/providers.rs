//! Identity providers as processes of their own: `tests/identity/provider.mjs` is a certified one, `hostile.mjs` lies,
//! `authority.mjs` gives systems whatever tokens they ask for.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

/// How long a provider may take to be ready.
const READY: Duration = Duration::from_secs(60);
/// What must be there, and how it is installed.
const NEEDED: &str = "The login's tests need Node.js 20 or newer and two packages from npm:\n  \
    apt-get install nodejs npm\n  cd tests/identity && npm ci --ignore-scripts";

/// A provider, running. When it is dropped, it is killed.
pub(crate) struct Provider {
    child: Option<Child>,
    /// Where it answers: its issuer.
    pub(crate) address: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("identity")
}

impl Provider {
    /// The certified provider, which sends people back to a Kundwebb at `web`; on a port of its own when `port` is 0. The
    /// client's key is kept in a file.
    pub(crate) async fn certified(web: &str, port: u16, key_file: &Path) -> Self {
        let settings = json!({
            "port": port, "redirect": format!("{web}/logga-in/svar"), "home": format!("{web}/"), "keyFile": key_file,
        });
        Self::start(&["provider.mjs", &settings.to_string()]).await
    }

    /// The provider that lies.
    pub(crate) async fn hostile() -> Self {
        Self::start(&["hostile.mjs"]).await
    }

    /// The authorization server that gives whatever token it is asked for.
    pub(crate) async fn authority() -> Self {
        Self::start(&["authority.mjs"]).await
    }

    /// None.
    pub(crate) const fn nowhere() -> Self {
        Self { child: None, address: String::new() }
    }

    async fn start(arguments: &[&str]) -> Self {
        assert!(folder().join("node_modules/oidc-provider").exists(), "{NEEDED}");
        let mut command = Command::new("node");
        command.args(arguments).current_dir(folder());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{error}\n{NEEDED}"));
        let said = child.stdout.take().unwrap();
        let mut provider = Self { child: Some(child), address: String::new() };
        let (ready, wait) = oneshot::channel();
        // What it says later must be read too, or it would end by it.
        std::thread::spawn(move || {
            let mut lines = BufReader::new(said).lines().map_while(Result::ok);
            let found = lines.find_map(|line| line.strip_prefix("ready ").map(str::to_owned));
            let _ = ready.send(found);
            lines.for_each(drop);
        });
        let ready = tokio::time::timeout(READY, wait).await.expect("it does not get ready").unwrap();
        provider.address = ready.expect("it ended before it was ready");
        provider
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.address.rsplit(':').next().unwrap().parse().unwrap()
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
