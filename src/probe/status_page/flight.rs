//! The data that Next.js pages carry in their HTML: `self.__next_f.push([1,"…"])` chunks, whose
//! strings joined together hold JSON among React's own rows, and the older `__NEXT_DATA__`.
//!
//! Knows no product. Invariant: React's sentinels never pass for content.

use serde_json::Value;

/// At most this many chunks and this many copies of an object are looked at: pages have dozens of
/// chunks and three copies.
const MOST_CHUNKS: usize = 2_000;
const MOST_COPIES: usize = 16;

/// The strings of all chunks, joined.
pub(super) fn decode(html: &str) -> String {
    let mut flight = String::new();
    for chunk in html.split("__next_f.push(").skip(1).take(MOST_CHUNKS) {
        if let Some(Value::Array(parts)) = first_value(chunk)
            && let Some(Value::String(text)) = parts.get(1)
        {
            flight.push_str(text);
        }
    }
    flight
}

/// Every object that stands under `key` in the joined chunks, without React's sentinels.
pub(super) fn objects<'a>(flight: &'a str, key: &str) -> impl Iterator<Item = Value> + use<'a> {
    values(flight, key, '{')
}

/// The first list that stands under `key`, without React's sentinels.
pub(super) fn list(flight: &str, key: &str) -> Option<Value> {
    values(flight, key, '[').next()
}

/// The object in `<script id="__NEXT_DATA__">`, under `props.pageProps`.
pub(super) fn next_data(html: &str) -> Option<Value> {
    let (_, script) = html.split_once("__NEXT_DATA__")?;
    let (_, body) = script.split_once('>')?;
    first_value(body)?.get_mut("props")?.get_mut("pageProps").map(Value::take)
}

fn values<'a>(flight: &'a str, key: &str, opening: char) -> impl Iterator<Item = Value> + use<'a> {
    let marker = format!("\"{key}\":{opening}");
    let starts: Vec<usize> = flight
        .match_indices(&marker)
        .take(MOST_COPIES)
        .map(|(at, marker)| at + marker.len() - 1)
        .collect();
    starts.into_iter().filter_map(|at| first_value(flight.get(at..)?).map(without_sentinels))
}

/// The first JSON value of a text that goes on after it.
fn first_value(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter::<Value>().next()?.ok()
}

/// `"$undefined"` and every other string that begins with `$` is React's (a reference to a row of
/// its own), never content; a `$` that is content is written `$$`.
fn without_sentinels(value: Value) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix('$') {
            None => Value::String(text),
            Some(rest) if rest.starts_with('$') => Value::String(rest.to_owned()),
            Some(_) => Value::Null,
        },
        Value::Array(list) => Value::Array(list.into_iter().map(without_sentinels).collect()),
        Value::Object(fields) => Value::Object(
            fields.into_iter().map(|(key, value)| (key, without_sentinels(value))).collect(),
        ),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_object_split_over_chunks_is_found() {
        let html = r#"<script>self.__next_f.push([0])</script>
            <script>self.__next_f.push([1,"5:[\"$\",\"$L1\",null,{\"summary\":{\"na"])</script>
            <script>self.__next_f.push([1,"me\":\"A\",\"url\":\"$undefined\",\"price\":\"$$5\"}}]\n"])</script>"#;
        let found: Vec<Value> = objects(&decode(html), "summary").collect();
        assert_eq!(found, [json!({"name": "A", "url": null, "price": "$5"})]);
    }

    #[test]
    fn broken_chunks_cost_only_themselves() {
        let html = r#"self.__next_f.push([1,"\"site\":{\"a\":1}"]) self.__next_f.push([1,"oops) self.__next_f.push(7)"#;
        assert_eq!(objects(&decode(html), "site").count(), 1);
        assert_eq!(list("\"x\":[", "x"), None);
    }

    #[test]
    fn the_older_next_data_is_found() {
        let html = r#"<script id="__NEXT_DATA__" type="application/json">{"props":{"pageProps":{"site":1}}}</script>"#;
        assert_eq!(next_data(html), Some(json!({"site": 1})));
    }
}
