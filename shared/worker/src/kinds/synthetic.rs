//! `synthetic`: this program again, as a process that burns the stated CPU time, holds the memory and moves the bytes.

use std::collections::BTreeMap;

use foreshard_model::workflow::Synthetic;

use super::{Answer, Call, Used, check_end};
use crate::process::{self, Launch};
use crate::synthetic::{Load, Named, Report};
use crate::task::fault::Fault;

/// A report has a few hundred bytes.
const REPORT_BYTES: usize = 64 * 1024;

/// Runs the load.
pub(super) async fn run(call: &Call<'_>, load: &Synthetic) -> Answer {
    let launch = match launch(call, load) {
        Ok(launch) => launch,
        Err(fault) => return fault.into(),
    };
    let worker = call.attempt.worker;
    let watch = |pid| call.attempt.sampler.watch(pid, &call.task.task_type);
    let (ended, watched) = match process::run(launch, &worker.children, watch).await {
        Ok(ended) => ended,
        Err(error) => return Fault::from(error).into(),
    };
    let report = check_end(&ended, call.task.timeout_ms, REPORT_BYTES).and_then(|()| {
        serde_json::from_slice::<Report>(&ended.stdout)
            .map_err(|_| Fault::Output("the load reported nothing that can be read".to_owned()))
    });
    // The process knows its own peak; the kernel's count may be the worker's.
    let known_kib = report
        .as_ref()
        .map_or(ended.peak_kib, |report| report.peak_kib);
    let sampled_kib = watched.ended(ended.cpu_ms, known_kib);
    Answer {
        used: Used {
            cpu_ms: ended.cpu_ms,
            peak_kib: if report.is_ok() {
                known_kib
            } else {
                sampled_kib
            },
        },
        result: report.map(|report| report.output),
    }
}

fn launch(call: &Call<'_>, load: &Synthetic) -> Result<Launch, Fault> {
    let (generated, files): (Vec<_>, Vec<_>) = call.files.iter().partition(|file| file.generated);
    let named = |name: &str, bytes: u64| Named {
        name: name.to_owned(),
        bytes,
    };
    for written in &call.task.writes {
        call.place.path(&written.name)?;
    }
    let load = Load {
        task: call.task.id.clone(),
        cpu_ms: load.cpu_ms,
        memory: load.memory,
        files: files.iter().map(|file| file.name.clone()).collect(),
        generated: generated
            .iter()
            .map(|file| named(&file.name, file.bytes))
            .collect(),
        writes: call
            .task
            .writes
            .iter()
            .map(|file| named(&file.name, file.bytes.unwrap_or_default()))
            .collect(),
    };
    let stdin = serde_json::to_vec(&load).map_err(|error| Fault::Refused(error.to_string()))?;
    let settings = &call.attempt.worker.settings;
    Ok(Launch {
        program: settings.task_program.clone(),
        arguments: vec![crate::TASK_FLAG.into(), crate::SYNTHETIC.into()],
        environment: BTreeMap::new(),
        folder: call.place.work(),
        stdin,
        output_bytes: REPORT_BYTES,
        log: call.log.clone(),
        deadline: call.deadline,
    })
}
