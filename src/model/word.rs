//! The words of closed enumerations: what the database, the metrics, the API and the configuration
//! call their members.
//!
//! Owns the way between a member and its word, which is the same for all of them; the words follow
//! from the members' names (`strum`). Invariant: no two members of an enumeration share a word.

/// A word that is not part of a closed enumeration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{word}`")]
pub struct UnknownWord {
    /// What was expected, e.g. `capability`.
    pub kind: &'static str,
    /// The word that was found.
    pub word: String,
}

/// Gives an enumeration its members, their words and the way back; `$kind` is what an unknown word
/// was taken for. A macro, because an inherent constant cannot come from a trait.
macro_rules! words {
    ($enumeration:ty, $kind:literal) => {
        impl $enumeration {
            /// Every member, in the order of their declaration.
            pub const ALL: [Self; <$enumeration as strum::VariantArray>::VARIANTS.len()] =
                *<$enumeration as strum::VariantArray>::VARIANTS
                    .as_array()
                    .expect("it is as long as itself");

            /// The word of the contract.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        }

        impl std::fmt::Display for $enumeration {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $enumeration {
            type Err = $crate::model::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                let known = Self::ALL.into_iter().find(|member| member.as_str() == word);
                known.ok_or_else(|| $crate::model::UnknownWord {
                    kind: $kind,
                    word: word.to_owned(),
                })
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::str::FromStr;

    use serde::Serialize;

    use crate::model::{
        Action, Blame, Capability, ChannelKind, ComponentState, DeliveryState, EventKind,
        FailureReason, Impact, JobKind, Origin, Outcome, Phase, ProbeKind, Reason, SkipReason,
        SourceRole, State, SuspendReason, UnknownWord,
    };

    /// Two derivations name the members: one for JSON, one for everything else.
    fn check<T>(all: &[T])
    where
        T: Copy + Debug + PartialEq + ToString + FromStr<Err = UnknownWord> + Serialize,
    {
        for member in all {
            let word = member.to_string();
            assert_eq!(word.parse(), Ok(*member));
            assert_eq!(serde_json::to_value(member).unwrap(), word);
        }
    }

    #[test]
    fn a_word_is_the_same_everywhere_and_parses_back() {
        check(&Capability::ALL);
        check(&State::ALL);
        check(&ComponentState::ALL);
        check(&Outcome::ALL);
        check(&Blame::ALL);
        check(&SkipReason::ALL);
        check(&ProbeKind::ALL);
        check(&JobKind::ALL);
        check(&Origin::ALL);
        check(&EventKind::ALL);
        check(&SuspendReason::ALL);
        check(&ChannelKind::ALL);
        check(&DeliveryState::ALL);
        check(&FailureReason::ALL);
        check(&SourceRole::ALL);
        check(&Phase::ALL);
        check(&Impact::ALL);
        check(&Action::ALL);
    }

    #[test]
    fn a_reason_is_an_outcome_or_a_word_of_its_own() {
        for reason in Reason::OWN.into_iter().chain(Outcome::ALL.map(Reason::Outcome)) {
            assert_eq!(reason.as_str().parse(), Ok(reason));
        }
        assert_eq!(Reason::Outcome(Outcome::TlsFailed).as_str(), "tls_failed");
        assert_eq!(Reason::LocalDns.as_str(), "local_dns");
        let unknown = "film".parse::<JobKind>().unwrap_err();
        assert_eq!(unknown.to_string(), "unknown job kind `film`");
    }
}
