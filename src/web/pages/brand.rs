//! Whose pages these are: name, logo and links of the operator.

use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

/// Name, logo and links of the operator (`web.brand`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// Stands at the top and in titles.
    pub name: String,
    /// Stands beside the name.
    pub logo: Option<Logo>,
    /// Stand at the foot of every page, by their text.
    pub links: Vec<BrandLink>,
}

impl Default for Brand {
    fn default() -> Self {
        Self { name: "HeyGen monitor".to_owned(), logo: None, links: Vec::new() }
    }
}

/// A link of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrandLink {
    /// What people read.
    pub text: String,
    /// Where it leads.
    pub url: Url,
}

/// A picture, as it was when the configuration was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Where it was read.
    pub file: PathBuf,
    /// What it is.
    pub kind: LogoKind,
    /// The file.
    pub bytes: Arc<[u8]>,
}

/// Kinds of picture that every browser draws.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoKind {
    /// `.svg`
    Svg,
    /// `.png`
    Png,
}

impl LogoKind {
    /// Largest file in bytes: it is sent to every new reader.
    pub const BYTES_MAX: u64 = 64 * 1024;

    /// By the ending of the file's name.
    pub fn of(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "svg" => Some(Self::Svg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
        }
    }
}
