//! Pools and outlooks that people write: read from YAML or JSON, every problem at once.

use std::collections::{BTreeMap, BTreeSet};

use foreshard_model::limits::{ACCOUNT_CONCURRENCY, LAMBDA_TIMEOUT_MS};
use foreshard_model::outlook::{Expected, Outlook};
use foreshard_model::problem::{Problem, Severity};
use foreshard_model::target::{Pool, Target};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::parse::value;

/// Reads a pool: `targets`, each with `id`, `region`, `memory` in MiB, `architecture`, and where they differ from the usual
/// `limit_ms`, `labels`, `speed`; then `lanes_max`, `lane_memory`, `concurrency` and `links`.
///
/// # Errors
///
/// Everything that is wrong with it (FS2015), or why it is no document at all (FS1xxx).
pub fn read_pool(bytes: &[u8]) -> Result<Pool, Vec<Problem>> {
    let mut found = Found::new("FS2015");
    let mut pool = found.object(value(bytes)?, "pool");
    found.unknown(
        &pool,
        "pool",
        &[
            "targets",
            "lanes_max",
            "lane_memory",
            "concurrency",
            "links",
        ],
    );
    for (name, usual) in [
        ("lanes_max", Value::from(ACCOUNT_CONCURRENCY)),
        ("concurrency", Value::from(ACCOUNT_CONCURRENCY)),
        ("lane_memory", Value::Null),
    ] {
        pool.entry(name).or_insert(usual);
    }
    let mut targets = Vec::new();
    for (at, mut one) in found.list(&mut pool, "targets").into_iter().enumerate() {
        if let Some(fields) = one.as_object_mut() {
            fields.entry("architecture").or_insert("arm64".into());
            fields.entry("limit_ms").or_insert(LAMBDA_TIMEOUT_MS.into());
            let known = [
                "id",
                "region",
                "memory",
                "architecture",
                "limit_ms",
                "labels",
                "speed",
            ];
            found.unknown(fields, &format!("targets[{at}]"), &known);
        }
        targets.extend(found.read::<Target>(one, &format!("targets[{at}]")));
    }
    let mut links = Vec::new();
    for (at, one) in found.list(&mut pool, "links").into_iter().enumerate() {
        links.extend(found.read(one, &format!("links[{at}]")));
    }
    pool.insert("targets".to_owned(), Value::Array(Vec::new()));
    let pool = found.read::<Pool>(Value::Object(pool), "pool");
    let pool = pool.map(|pool| Pool {
        targets,
        links,
        ..pool
    });
    if let Some(pool) = &pool {
        check_pool(pool, &mut found);
    }
    found.finish(pool)
}

fn check_pool(pool: &Pool, found: &mut Found) {
    if pool.targets.is_empty() && found.problems.is_empty() {
        found.push("targets", "the pool has no target".to_owned(), "add one");
    }
    if pool.concurrency == 0 || pool.lanes_max == 0 {
        found.push(
            "concurrency",
            format!(
                "`concurrency` {} and `lanes_max` {} leave no lane",
                pool.concurrency, pool.lanes_max
            ),
            "1 or more",
        );
    }
    let mut ids = BTreeSet::new();
    for (at, target) in pool.targets.iter().enumerate() {
        let mut push = |field: &str, message: String, hint: &str| {
            found.push(&format!("targets[{at}].{field}"), message, hint);
        };
        if !ids.insert(&target.id) {
            push(
                "id",
                format!("`{}` is there twice", target.id),
                "each target once",
            );
        }
        if target.memory.0 == 0 {
            push("memory", "0 MiB hold nothing".to_owned(), "128 or more");
        }
        if target.limit_ms == 0 {
            push("limit_ms", "0 ms are no time".to_owned(), "1 or more");
        }
        if !(target.speed.is_finite() && target.speed > 0.0) {
            push(
                "speed",
                format!("`{}` is no speed", target.speed),
                "a number above 0; 1 is usual",
            );
        }
        if target.region.is_empty() {
            push(
                "region",
                "the region has no name".to_owned(),
                "such as us-east-1",
            );
        }
    }
    for (at, link) in pool.links.iter().enumerate() {
        let fast = link.mb_per_s > 0.0 && link.mb_per_s.is_finite();
        let sound = fast && link.latency_ms >= 0.0 && link.latency_ms.is_finite();
        if !sound {
            found.push(
                &format!("links[{at}]"),
                format!(
                    "{} MB/s after {} ms is no link",
                    link.mb_per_s, link.latency_ms
                ),
                "`mb_per_s` above 0, `latency_ms` 0 or more",
            );
        }
    }
}

/// Reads an outlook for a pool: `regions` and `targets` with `free` and `failures_per_h`, and `data`.
///
/// # Errors
///
/// Everything that is wrong with it (FS2016), or why it is no document at all (FS1xxx).
pub fn read_outlook(bytes: &[u8], pool: &Pool) -> Result<Outlook, Vec<Problem>> {
    let mut found = Found::new("FS2016");
    let mut outlook = found.object(value(bytes)?, "outlook");
    found.unknown(&outlook, "outlook", &["regions", "targets", "data"]);
    let regions: BTreeSet<&str> = pool.targets.iter().map(|t| t.region.as_str()).collect();
    let ids: BTreeSet<&str> = pool.targets.iter().map(|t| t.id.as_str()).collect();
    let mut read = Outlook::default();
    for (name, one) in found.entries(&mut outlook, "regions") {
        let path = format!("regions.{name}");
        found.known(&path, &name, &regions, "region");
        if let Some(one) = found.expected(one, &path) {
            read.regions.insert(name, one);
        }
    }
    for (name, one) in found.entries(&mut outlook, "targets") {
        let path = format!("targets.{name}");
        found.known(&path, &name, &ids, "target");
        if let Some(one) = found.expected(one, &path) {
            read.targets.insert(name.as_str().into(), one);
        }
    }
    let data = outlook.remove("data").unwrap_or_else(|| Map::new().into());
    read.data = found
        .read::<BTreeMap<String, String>>(data, "data")
        .unwrap_or_default();
    found.finish(Some(read))
}

/// What has been found so far.
struct Found {
    code: &'static str,
    problems: Vec<Problem>,
}

impl Found {
    fn new(code: &'static str) -> Self {
        Self {
            code,
            problems: Vec::new(),
        }
    }

    fn push(&mut self, path: &str, message: String, hint: &str) {
        self.problems.push(Problem {
            code: self.code.to_owned(),
            severity: Severity::Error,
            path: path.to_owned(),
            place: None,
            message,
            hint: Some(hint.to_owned()),
        });
    }

    fn finish<T>(self, read: Option<T>) -> Result<T, Vec<Problem>> {
        match read {
            Some(read) if self.problems.is_empty() => Ok(read),
            _ => Err(self.problems),
        }
    }

    fn object(&mut self, value: Value, path: &str) -> Map<String, Value> {
        match value {
            Value::Object(fields) => fields,
            _ => {
                self.push(path, "it is not an object".to_owned(), "see docs/cli.md");
                Map::new()
            }
        }
    }

    fn unknown(&mut self, fields: &Map<String, Value>, path: &str, known: &[&str]) {
        for name in fields.keys().filter(|name| !known.contains(&name.as_str())) {
            let message = format!("`{name}` is not known here");
            self.push(path, message, &format!("one of {}", known.join(", ")));
        }
    }

    fn known(&mut self, path: &str, name: &str, all: &BTreeSet<&str>, what: &str) {
        if !all.contains(name) {
            let all: Vec<&str> = all.iter().copied().collect();
            let message = format!("the pool has no {what} `{name}`");
            self.push(path, message, &format!("one of {}", all.join(", ")));
        }
    }

    fn list(&mut self, fields: &mut Map<String, Value>, name: &str) -> Vec<Value> {
        match fields.remove(name) {
            Some(Value::Array(all)) => all,
            None => Vec::new(),
            Some(_) => {
                self.push(name, "it is not a list".to_owned(), "see docs/cli.md");
                Vec::new()
            }
        }
    }

    fn entries(&mut self, fields: &mut Map<String, Value>, name: &str) -> Map<String, Value> {
        match fields.remove(name) {
            Some(one) => self.object(one, name),
            None => Map::new(),
        }
    }

    fn read<T: DeserializeOwned>(&mut self, value: Value, path: &str) -> Option<T> {
        match serde_json::from_value(value) {
            Ok(read) => Some(read),
            Err(error) => {
                self.push(path, error.to_string(), "see docs/cli.md");
                None
            }
        }
    }

    fn expected(&mut self, value: Value, path: &str) -> Option<Expected> {
        let expected: Expected = self.read(value, path)?;
        if !(expected.failures_per_h >= 0.0 && expected.failures_per_h.is_finite()) {
            let message = format!("`{}` is no rate", expected.failures_per_h);
            self.push(
                &format!("{path}.failures_per_h"),
                message,
                "0 or more, an hour",
            );
        }
        let mut before = None;
        for (at, step) in expected.free.iter().enumerate() {
            let path = format!("{path}.free[{at}]");
            if before.is_some_and(|before| before >= step.from_s) {
                let message = format!("{} s do not come after the step before", step.from_s);
                self.push(&format!("{path}.from_s"), message, "steps ascend");
            }
            before = Some(step.from_s);
            let inside = |name: &String| {
                name.parse::<f64>()
                    .is_ok_and(|quantile| quantile > 0.0 && quantile < 1.0)
            };
            for name in step.lanes.keys().filter(|name| !inside(name)) {
                let message = format!("`{name}` is no quantile");
                self.push(
                    &format!("{path}.lanes"),
                    message,
                    "above 0 and below 1, such as \"0.5\"",
                );
            }
            let lanes = step.quantiles();
            let sound = lanes
                .iter()
                .all(|(_, lanes)| lanes.is_finite() && *lanes >= 0.0);
            if lanes.is_empty() || !sound || lanes.windows(2).any(|pair| pair[0].1 > pair[1].1) {
                self.push(
                    &format!("{path}.lanes"),
                    "lanes do not rise with their quantiles from 0 on".to_owned(),
                    "at least one quantile, such as {\"0.1\": 20, \"0.5\": 80}",
                );
            }
        }
        Some(expected)
    }
}
