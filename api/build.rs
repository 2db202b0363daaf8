//! Fetches the style sheets of Designsystemet from npm (with the lock file of `frontend/`) and puts them
//! together with ours into the one file that the program embeds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The components of Designsystemet that the pages use, in the order of its own index.
const COMPONENTS: [&str; 15] = [
    "label",
    "heading",
    "paragraph",
    "validation-message",
    "alert",
    "button",
    "card",
    "details",
    "error-summary",
    "input",
    "field",
    "fieldset",
    "link",
    "list",
    "skip-link",
];
/// Those that must come after the ones above.
const LATE_COMPONENTS: [&str; 3] = ["pagination", "table", "tag"];
/// Our own rules, in this order.
const OWN: [&str; 2] = ["kundwebb.css", "officers.css"];

fn main() -> Result<(), Box<dyn Error>> {
    for path in ["frontend", "locales", "templates"] {
        println!("cargo::rerun-if-changed={path}");
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let packages = fetch(&out.join("frontend"))?;
    fs::write(out.join("kundwebb.css"), style_sheet(&packages)?)?;
    Ok(())
}

/// The folder with the packages of the lock file, fetched unless they lie there already.
fn fetch(folder: &Path) -> Result<PathBuf, Box<dyn Error>> {
    let packages = folder.join("node_modules").join("@digdir");
    let lock = fs::read("frontend/package-lock.json")?;
    let fetched = folder.join("fetched.json");
    if packages.is_dir() && fs::read(&fetched).is_ok_and(|old| old == lock) {
        return Ok(packages);
    }
    fs::create_dir_all(folder)?;
    fs::copy("frontend/package.json", folder.join("package.json"))?;
    fs::write(folder.join("package-lock.json"), &lock)?;
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(program)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(folder)
        .output()
        .map_err(|error| {
            format!(
                "The pages' style sheets come from npm, and npm could not be started ({error}). \
                 Install Node.js 20 or newer with npm (Debian: apt-get install nodejs npm) and build again."
            )
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("`npm ci` could not fetch the pages' style sheets:\n{said}").into());
    }
    fs::write(fetched, lock)?;
    Ok(packages)
}

/// The parts of the theme that the pages use: they are light, in one typography, in two colours of our own.
fn used(theme: &str) -> String {
    const UNUSED: [&str; 5] =
        ["color-scheme.dark", "[data-color-scheme=\"auto\"]", "\"secondary\"", "\"brand2\"", "\"brand3\""];
    let (head, rest) = theme.split_once("@layer ").unwrap_or((theme, ""));
    let parts = rest.split("\n@layer ").filter(|part| {
        let selectors: String = part.lines().take(3).collect();
        !UNUSED.iter().any(|unused| selectors.contains(unused))
    });
    let kept: Vec<&str> = parts.collect();
    format!("{}@layer {}", head.trim_start_matches("@charset \"UTF-8\";"), kept.join("\n@layer "))
}

/// One file: the theme and components of Designsystemet in their layers, then our own rules.
fn style_sheet(packages: &Path) -> Result<String, Box<dyn Error>> {
    let components = packages.join("designsystemet-css/dist/src");
    let theme = fs::read_to_string(packages.join("designsystemet-theme/src/themes/designsystemet.css"))?;
    let mut all = String::from("@charset \"UTF-8\";\n@layer ds.theme, ds.base, ds.components;\n");
    all.push_str(&used(&theme));
    all.push_str("\n@layer ds.base {\n");
    all.push_str(&fs::read_to_string(components.join("base.css"))?);
    all.push_str("\n}\n@layer ds.components {\n");
    for name in COMPONENTS.iter().chain(&LATE_COMPONENTS) {
        let path = components.join(format!("{name}.css"));
        all.push_str(&fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?);
        all.push('\n');
    }
    all.push_str("}\n");
    for own in OWN {
        all.push_str(&fs::read_to_string(Path::new("frontend").join(own))?);
    }
    Ok(all)
}
