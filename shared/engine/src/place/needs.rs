//! What tasks require of a target beside memory and disk, which targets have it, and what the others lack.

use std::collections::BTreeMap;

use foreshard_model::target::{Architecture, Target};

/// Requirements and wishes of a class of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needs {
    /// Labels that the target must have; `architecture` and `region` count as labels of every target.
    pub require: BTreeMap<String, String>,
    /// Labels that it should have.
    pub prefer: BTreeMap<String, String>,
    /// GPU memory in MiB: the label `gpu_mib` must be as large.
    pub gpu: Option<u32>,
    /// Regions in which the data may be; empty: anywhere.
    pub regions: Vec<String>,
}

/// What a target lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// Its region is none of those in which the data may be.
    Residency,
    /// A required label: name, value, and what the target has instead.
    Label(String, String, Option<String>),
    /// GPU memory: how much it has.
    Gpu(u32),
}

impl Needs {
    /// Everything that the target lacks.
    #[must_use]
    pub fn lacks(&self, target: &Target) -> Vec<Lack> {
        let mut lacks = Vec::new();
        if !self.regions.is_empty() && !self.regions.contains(&target.region) {
            lacks.push(Lack::Residency);
        }
        for (name, value) in &self.require {
            let has = label(target, name);
            if has != Some(value.as_str()) {
                lacks.push(Lack::Label(
                    name.clone(),
                    value.clone(),
                    has.map(str::to_owned),
                ));
            }
        }
        let gpu = gpu_mib(target);
        if self.gpu.is_some_and(|need| gpu < need) {
            lacks.push(Lack::Gpu(gpu));
        }
        lacks
    }

    /// Preferred labels that the target does not have.
    #[must_use]
    pub fn wishes_missed(&self, target: &Target) -> u32 {
        let missed =
            |(name, value): &(&String, &String)| label(target, name) != Some(value.as_str());
        self.prefer.iter().filter(missed).count() as u32
    }
}

/// The name of an architecture as a label has it.
#[must_use]
pub fn chip(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::Arm64 => "arm64",
        Architecture::X86_64 => "x86_64",
    }
}

fn label<'t>(target: &'t Target, name: &str) -> Option<&'t str> {
    match name {
        "architecture" => Some(chip(target.architecture)),
        "region" => Some(&target.region),
        _ => target.labels.get(name).map(String::as_str),
    }
}

fn gpu_mib(target: &Target) -> u32 {
    let label = target.labels.get("gpu_mib");
    label.and_then(|mib| mib.parse().ok()).unwrap_or(0)
}
