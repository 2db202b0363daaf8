//! Whether the files that hold secrets are for their owner alone, and the settings for those who need them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use infrastructure::keys::KEY_FILES;

use crate::Config;

/// What others may do with a file.
const OTHERS: u32 = 0o077;
/// What everybody may do with it.
const EVERYBODY: u32 = 0o007;

/// What is said of them, or what to do.
pub(super) fn check(config: &Config) -> anyhow::Result<String> {
    let own = KEY_FILES.iter().map(|name| config.keys_folder().join(name));
    // The keys of this installation are missed elsewhere.
    let mut files: Vec<PathBuf> = own.filter(|file| file.exists()).collect();
    files.extend(config.identity_providers.iter().filter_map(|provider| provider.key_file.clone()));
    for file in &files {
        private(file)?;
    }
    if let Some(file) = config.file.as_deref().filter(|_| config.file_holds_secrets().unwrap_or_default()) {
        settings(file)?;
    }
    Ok(match files.len() {
        0 => "no key files yet; they are made when the server starts".to_owned(),
        count => format!("{count} key files, for their owner alone"),
    })
}

/// The group of a file of settings may be that of the user that runs kundwebb.
fn settings(file: &Path) -> anyhow::Result<()> {
    let (shown, mode) = (file.display(), mode(file)?);
    ensure!(
        mode & EVERYBODY == 0,
        "{shown} holds a secret and can be used by everybody on this machine (mode {mode:03o}); `chmod 640 {shown}`, let its \
         group be that of the user that runs kundwebb, and replace the secret if somebody may have read it"
    );
    Ok(())
}

fn mode(file: &Path) -> std::io::Result<u32> {
    Ok(fs::metadata(file)?.permissions().mode() & 0o777)
}

fn private(file: &Path) -> anyhow::Result<()> {
    let shown = file.display();
    let mode = mode(file).with_context(|| {
        format!("{shown} cannot be read; put the key there, or change key_file in the settings")
    })?;
    ensure!(
        mode & OTHERS == 0,
        "{shown} can be used by others (mode {mode:03o}), and whoever reads it can be anybody; `chmod 600 {shown}`, and make a \
         new key if somebody may have read it"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_others_may_read_or_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { data: folder.path().to_path_buf(), ..Config::default() };
        assert!(check(&config).unwrap().contains("no key files yet"));
        let (token, client) = (folder.path().join("token.key"), folder.path().join("client.pem"));
        for (file, mode) in [(&token, 0o600), (&client, 0o400)] {
            fs::write(file, "secret").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
        }
        let toml = format!(
            "[[identity_providers]]\nissuer = 'https://a.example'\nclient_id = 'k'\nkey_file = '{}'\nkey_id = 'k'",
            client.display()
        );
        config.identity_providers = Config::parse(&toml).unwrap().identity_providers;
        assert_eq!(check(&config).unwrap(), "2 key files, for their owner alone");
        for (file, mode) in [(&token, 0o640), (&token, 0o604), (&client, 0o620)] {
            let before = fs::metadata(file).unwrap().permissions();
            fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
            let wrong = check(&config).unwrap_err().to_string();
            assert!(wrong.contains(&format!("chmod 600 {}", file.display())), "{wrong}");
            fs::set_permissions(file, before).unwrap();
        }
        let settings = folder.path().join("kundwebb.toml");
        for (secret, mode, well) in
            [("", 0o644, true), ("s", 0o644, false), ("s", 0o660, true), ("s", 0o602, false)]
        {
            let line =
                if secret.is_empty() { String::new() } else { format!("mail.password = '{secret}'\n") };
            fs::write(&settings, line).unwrap();
            fs::set_permissions(&settings, fs::Permissions::from_mode(mode)).unwrap();
            config.file = Some(settings.clone());
            let said = check(&config).map_err(|error| error.to_string());
            assert_eq!(said.is_ok(), well, "{mode:o} {said:?}");
            assert!(well || said.unwrap_err().contains(&format!("chmod 640 {}", settings.display())));
        }
        fs::remove_file(&client).unwrap();
        assert!(check(&config).unwrap_err().to_string().contains("client.pem cannot be read"));
    }
}
