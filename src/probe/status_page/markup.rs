//! Looking things up in HTML by CSS selector. The only other user of `scraper` is `words`.

use scraper::{ElementRef, Html, Selector};

use super::words;

/// Every element of the document that matches; a selector that is wrong matches nothing.
pub(super) fn all<'a>(html: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(selector)
        .map_or_else(|_| Vec::new(), |selector| html.select(&selector).collect())
}

/// Every element below `element` that matches.
pub(super) fn within<'a>(element: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(selector)
        .map_or_else(|_| Vec::new(), |selector| element.select(&selector).collect())
}

/// The first element below `element` that matches.
pub(super) fn first<'a>(element: ElementRef<'a>, selector: &str) -> Option<ElementRef<'a>> {
    element.select(&Selector::parse(selector).ok()?).next()
}

/// The text of an element as one clean line.
pub(super) fn text_of(element: ElementRef<'_>) -> String {
    words::line(&element.text().collect::<Vec<_>>().join(" "))
}

/// The text of the first element that matches, if it is not empty.
pub(super) fn first_text(html: &Html, selector: &str) -> Option<String> {
    all(html, selector).first().map(|element| text_of(*element)).filter(|text| !text.is_empty())
}

/// The address that a page gives itself for others to link to.
pub(super) fn own_address(html: &Html) -> Option<String> {
    let tag = all(html, r#"meta[property="og:url"]"#);
    let address = tag.first()?.attr("content").map(words::line)?;
    address.starts_with("http").then_some(address)
}
