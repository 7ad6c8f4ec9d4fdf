//! The members of an object expression in the order in which they are written: an object's text depends on it.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Expression;

/// Members of an object, in order, each name once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Members(pub Vec<(String, Expression)>);

impl Members {
    /// The member of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Expression> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, part)| part)
    }

    /// Puts a member; one of the same name is replaced where it stands.
    pub fn set(&mut self, name: &str, part: Expression) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, place)) => *place = part,
            None => self.0.push((name.to_owned(), part)),
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, part) in &self.0 {
            map.serialize_entry(name, part)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of expressions")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((name, part)) = map.next_entry::<String, Expression>()? {
                    members.set(&name, part);
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
