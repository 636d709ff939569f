//! The settings file of a daemon: read, checked, shown.
//!
//! Owns how a file is read and how values are written. Must not know: any key.
//! Each part of a daemon has a settings type of its own; the daemon's is a
//! struct of those. For a misspelt key to be an error, each of these types
//! carries `#[serde(deny_unknown_fields)]`; those with `#[serde(default)]`
//! beside it may be left out in part or whole.

mod section;
pub mod sheet;
pub mod value;

// For `section!`, whose users need not name serde.
#[doc(hidden)]
pub use serde;
#[doc(hidden)]
pub use serde::Deserialize;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use sheet::Mistake;
use thiserror::Error;

/// A settings file that cannot be used. The operator must act.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The file is missing or cannot be read.
    #[error("settings file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not TOML, or has a key or value that is not allowed.
    #[error("settings file {path}: {source}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Where (line, key) and what is allowed there.
        source: Box<toml::de::Error>,
    },
    /// Values that can be read and are not allowed.
    #[error("{}", listed(.0))]
    Wrong(Vec<Mistake>),
}

/// One per line.
fn listed(mistakes: &[Mistake]) -> String {
    let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    lines.join("\n")
}

/// Reads the TOML file at `path`.
///
/// # Errors
/// The file is not readable or does not fit `T`; the error names file, line,
/// key and what is allowed.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, SettingsError> {
    let text = fs::read_to_string(path).map_err(|source| SettingsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|source| SettingsError::Invalid {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Whole {
        part: Part,
    }

    #[derive(Debug, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Part {
        linger_ms: u64,
        patience_ms: u64,
    }

    impl Default for Part {
        fn default() -> Self {
            Self {
                linger_ms: 3000,
                patience_ms: 500,
            }
        }
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let whole = read_text("[part]\nlinger_ms = 7\n").unwrap();
        assert_eq!(whole.part.linger_ms, 7);
        assert_eq!(whole.part.patience_ms, 500);
    }

    #[test]
    fn an_unknown_key_is_named_with_what_is_allowed() {
        let text = read_text("[part]\nlingre_ms = 7\n")
            .unwrap_err()
            .to_string();
        for part in ["im.toml", "line 2", "lingre_ms", "linger_ms", "patience_ms"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_with_what_is_allowed() {
        let text = read_text("[part]\nlinger_ms = \"long\"\n")
            .unwrap_err()
            .to_string();
        for part in ["im.toml", "line 2", "linger_ms", "long", "u64"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read::<Whole>(Path::new("/nowhere/im.toml")).unwrap_err();
        assert!(matches!(error, SettingsError::Unreadable { .. }));
        assert!(error.to_string().contains("/nowhere/im.toml"), "{error}");
    }

    fn read_text(text: &str) -> Result<Whole, SettingsError> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("im.toml");
        fs::write(&path, text).unwrap();
        read(&path)
    }
}
