//! Reading HTML, and looking things up in it by CSS selector.
//!
//! Invariant: no page keeps the parser busy for long. Its time grows with the square of the depth
//! of a page: 400,000 tags in each other, which are 2 MB, would take it a quarter of an hour.

use html5ever::driver::{self, ParseOpts, Parser};
use html5ever::tendril::TendrilSink;
use html5ever::{QualName, local_name, ns};
use scraper::{ElementRef, Html, HtmlTreeSink, Selector};

use super::words;

/// Elements that stand in each other: browsers stop at 512, and people at about 50.
const DEEPEST: usize = 256;
/// The depth is looked at whenever so much was read.
const CHUNK_BYTES: usize = 4 << 10;

/// A page as a tree.
///
/// # Errors
/// When it is nested deeper than any page is.
pub(super) fn document(text: &str) -> Result<Html, &'static str> {
    let sink = HtmlTreeSink::new(Html::new_document());
    grown(driver::parse_document(sink, ParseOpts::default()), text)
}

/// A piece of a page as a tree.
///
/// # Errors
/// When it is nested deeper than any page is.
pub(super) fn fragment(text: &str) -> Result<Html, &'static str> {
    let sink = HtmlTreeSink::new(Html::new_fragment());
    let body = QualName::new(None, ns!(html), local_name!("body"));
    grown(driver::parse_fragment(sink, ParseOpts::default(), body, Vec::new(), false), text)
}

fn grown(mut parser: Parser<HtmlTreeSink>, text: &str) -> Result<Html, &'static str> {
    let (mut rest, mut seen) = (text, 0);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(CHUNK_BYTES));
        parser.process(chunk.into());
        rest = after;
        let grown = parser.tokenizer.sink.sink.0.borrow();
        let nodes = grown.tree.nodes();
        let new = nodes.len() - std::mem::replace(&mut seen, nodes.len());
        if nodes.rev().take(new).any(|node| node.ancestors().nth(DEEPEST).is_some()) {
            return Err("is nested deeper than any page");
        }
    }
    Ok(parser.finish())
}

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
