//! What was learnt, as it is kept.

use std::collections::BTreeMap;

use foreshard_model::forecast::{Forecast, Judged, Quantity, StoredForecast};
use foreshard_model::outlook::{Expected, Flag, Outlook, Step, StoredOutlook};
use foreshard_model::plan::Reason;
use foreshard_model::prewarm::{
    PrewarmAction, PrewarmDecision, PrewarmExpected, PrewarmMode, PrewarmRecord,
};
use foreshard_model::profile::{Ended, Profile, ProfileKey, SizeBucket, Sketch};
use foreshard_model::units::{Mib, TimeMs};

use super::golden;
use crate::table::item;

fn profile() -> Profile {
    let sketch = Sketch {
        bins: vec![-1, 40],
        weights: vec![0.5, 7.25],
        max: 1_234.5,
    };
    Profile {
        key: ProfileKey {
            task_type: "command:render".to_owned(),
            target: "foreshard-execute-512:live".into(),
            bucket: SizeBucket(6),
        },
        memory: Mib(512),
        version: 3,
        landmark: TimeMs(1_700_000_000_000),
        latest: TimeMs(1_700_000_360_000),
        samples: 9,
        weight: 7.75,
        weight_2: 0.125,
        duration_ms: sketch.clone(),
        peak_kib: sketch,
        outcomes: BTreeMap::from([(Ended::Done, 7.75), (Ended::OutOfMemory, 1.0)]),
        out_of_memory_at: Some(TimeMs(1_700_000_300_000)),
        marks: vec![281_474_976_710_655],
        ..Profile::default()
    }
}

#[test]
fn a_profile_is_as_in_its_golden_file() {
    let written = item::of_profile(&"acme".into(), &profile()).unwrap();
    let kept = golden("profile", include_str!("../golden/profile.json"), &written);
    assert_eq!(item::read::<Profile>(kept).unwrap(), profile());
}

fn reasons() -> Vec<Reason> {
    vec![Reason {
        subject: "forecast".to_owned(),
        because: "`level` loses least".to_owned(),
        numbers: BTreeMap::from([("loss".to_owned(), 0.25)]),
    }]
}

#[test]
fn a_forecast_is_as_in_its_golden_file() {
    let item = StoredForecast {
        place: "foreshard-execute-512:live".to_owned(),
        quantity: Quantity::Concurrency,
        made_at: TimeMs(1_700_000_000_000),
        rows: 288,
        forecast: Forecast {
            start_s: 1_700_000_000,
            step_s: 300,
            quantiles: BTreeMap::from([("0.5".to_owned(), vec![0.0, 2.5])]),
            model: "level of 288 rows".to_owned(),
            judged: vec![Judged {
                model: "naive".to_owned(),
                loss: 0.25,
                naive_loss: 0.5,
            }],
            reasons: reasons(),
        },
        known: vec![3.0],
        busy: Some(0.25),
    };
    let written = item::of_forecast(&item).unwrap();
    let kept = golden(
        "forecast",
        include_str!("../golden/forecast.json"),
        &written,
    );
    assert_eq!(item::read::<StoredForecast>(kept).unwrap(), item);
}

#[test]
fn an_outlook_is_as_in_its_golden_file() {
    let step = Step {
        from_s: 300,
        lanes: BTreeMap::from([("0.1".to_owned(), 3.0)]),
    };
    let expected = Expected {
        free: vec![step],
        failures_per_h: 0.25,
    };
    let item = StoredOutlook {
        made_at: TimeMs(1_700_000_000_000),
        outlook: Outlook {
            regions: BTreeMap::from([("eu-west-1".to_owned(), expected)]),
            ..Outlook::default()
        },
        flags: vec![Flag {
            place: "eu-west-1".to_owned(),
            series: "throttles".to_owned(),
            at: TimeMs(1_700_000_000_000),
            score: 0.5,
            because: "a record".to_owned(),
        }],
        reasons: reasons(),
    };
    let written = item::of_outlook(&item).unwrap();
    let kept = golden("outlook", include_str!("../golden/outlook.json"), &written);
    assert_eq!(item::read::<StoredOutlook>(kept).unwrap(), item);
}

#[test]
fn a_decision_of_prewarming_is_as_in_its_golden_file() {
    let item = PrewarmRecord {
        at: TimeMs(1_700_000_000_000),
        mode: PrewarmMode::Act,
        decision: PrewarmDecision {
            target: "foreshard-execute-512:live".into(),
            environments: 4,
            action: PrewarmAction::Put { environments: 4 },
            reasons: vec!["4: it saves more than it costs".to_owned()],
            ..PrewarmDecision::default()
        },
        came: Some(PrewarmExpected::default()),
        ..PrewarmRecord::default()
    };
    let written = item::of_prewarm_record(&item).unwrap();
    let kept = golden("prewarm", include_str!("../golden/prewarm.json"), &written);
    assert_eq!(item::read::<PrewarmRecord>(kept).unwrap(), item);
}
