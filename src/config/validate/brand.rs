//! Whose pages these are: `[web.brand]`.

use std::io::Read;

use super::Check;
use crate::config::document::At;
use crate::config::place;
use crate::config::problem::Fault;
use crate::config::raw::{RawBrand, RawLink};
use crate::config::value::{self, Purpose};
use crate::web::{Brand, BrandLink, Logo, LogoKind};

impl Check<'_> {
    pub(super) fn brand(&mut self, raw: Option<&RawBrand>, at: &At) -> Brand {
        let usual = Brand::default();
        let Some(raw) = raw else { return usual };
        let name = raw.name.as_deref();
        let name = name.and_then(|name| self.value(&at.key("name"), value::name(name)));
        let logo = raw.logo_file.as_deref().and_then(|file| {
            let logo = self.logo(file);
            self.value(&at.key("logo_file"), logo)
        });
        let links = raw.links.iter().flatten().enumerate();
        let links =
            links.filter_map(|(index, link)| self.link(link, &at.key("links").index(index)));
        Brand { links: links.collect(), name: name.unwrap_or(usual.name), logo }
    }

    fn link(&mut self, raw: &RawLink, at: &At) -> Option<BrandLink> {
        let url = self.url(&at.key("url"), Some(&raw.url), Purpose::Link);
        let text = self.value(&at.key("text"), value::name(&raw.text));
        Some(BrandLink { text: text?, url: url? })
    }

    fn logo(&self, file: &str) -> Result<Logo, Fault> {
        let path = self.path(file);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let kind = extension.and_then(LogoKind::of).ok_or_else(|| {
            Fault::new("this is no picture that we serve", "name a file that ends in .svg or .png")
        })?;
        let mut bytes = Vec::new();
        place::open(&path)
            .and_then(|file| file.take(LogoKind::BYTES_MAX + 1).read_to_end(&mut bytes))
            .map_err(|error| {
                let what = format!("cannot read {}: {error}", path.display());
                Fault::new(what, "name a file that this user may read, or leave the key out")
            })?;
        if bytes.len() as u64 > LogoKind::BYTES_MAX {
            let what = "the picture is larger than 64 KiB";
            return Err(Fault::new(what, "every new reader loads it: make it smaller"));
        }
        Ok(Logo { file: path, kind, bytes: bytes.into() })
    }
}
