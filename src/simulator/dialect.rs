//! How an account's answers differ from the documented ones.
//!
//! HeyGen's own material disagrees with itself on words and fields; a monitor must bear all of it.
//! Owns the rewriting alone. Invariant: without a quirk the documented answer is left as it is.

use serde_json::{Map, Value, json};

/// Everything that an account says otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dialect(Vec<Quirk>);

/// One thing that is said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quirk {
    /// This status is called that: `completed` → `succeeded`, `pending` → `queued`, `processing` →
    /// a word that nobody knows.
    Word(&'static str, &'static str),
    /// This field has that name: `failure_message` → `failure_reason`.
    Name(&'static str, &'static str),
    /// This field is left out.
    Without(&'static str),
    /// Fields that are null are left out.
    NoNulls,
    /// Created translations are listed as `data.video_translations[].video_translation_id`.
    NestedTranslationIds,
    /// An `Idempotency-Key` is taken and means nothing.
    ForgetsKeys,
}

impl Dialect {
    /// One more quirk.
    #[must_use]
    pub fn with(mut self, quirk: Quirk) -> Self {
        self.0.push(quirk);
        self
    }

    pub(super) fn has(&self, quirk: &Quirk) -> bool {
        self.0.contains(quirk)
    }

    /// A job, in this dialect.
    pub(super) fn said(&self, documented: Value) -> Value {
        let Value::Object(mut fields) = documented else {
            return documented;
        };
        for quirk in &self.0 {
            rewrite(&mut fields, quirk);
        }
        Value::Object(fields)
    }

    /// The answer to an accepted translation.
    pub(super) fn created(&self, ids: &[String]) -> Value {
        if !self.has(&Quirk::NestedTranslationIds) {
            return json!({"data": {"video_translation_ids": ids}});
        }
        let nested: Vec<Value> = ids.iter().map(|id| json!({"video_translation_id": id})).collect();
        json!({"data": {"video_translations": nested}})
    }
}

fn rewrite(fields: &mut Map<String, Value>, quirk: &Quirk) {
    match quirk {
        Quirk::Word(documented, said) => {
            if fields.get("status").and_then(Value::as_str) == Some(documented) {
                fields.insert("status".to_owned(), (*said).into());
            }
        }
        Quirk::Name(documented, said) => {
            if let Some(value) = fields.remove(*documented) {
                fields.insert((*said).to_owned(), value);
            }
        }
        Quirk::Without(name) => {
            fields.remove(*name);
        }
        Quirk::NoNulls => fields.retain(|_, value| !value.is_null()),
        Quirk::NestedTranslationIds | Quirk::ForgetsKeys => {}
    }
}
