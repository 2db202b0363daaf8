//! The S3 server as a program: `objects FOLDER ADDRESS KEY SECRET`. It says a line when it listens, and serves until it is killed.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("which folder?")?);
    let address = arguments.next().context("which address?")?;
    let key = arguments.next().context("which key?")?;
    let secret = arguments.next().context("with what does it open?")?;
    let listener =
        TcpListener::bind(&address).await.with_context(|| format!("cannot listen on {address}"))?;
    writeln!(std::io::stdout(), "{}", objects::READY_LINE)?;
    objects::serve(&folder, listener, (&key, &secret)).await
}
