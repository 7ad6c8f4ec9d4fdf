//! Pictures: well-formed, complete, the same every time.

use foreshard_model::ids::{RunId, ShardId, TaskId};
use foreshard_model::objective::Objective;
use foreshard_model::plan::{LaneMode, Plan, PlannedShard, ShardKind};
use foreshard_model::policy::RunOptions;
use foreshard_model::price::Price;
use foreshard_model::workflow::OnFailure;

use super::*;

fn shard(id: u32, kind: ShardKind, tasks: &[&str], predecessors: &[u32]) -> PlannedShard {
    PlannedShard {
        id: ShardId(id),
        kind,
        tasks: tasks.iter().map(|t| TaskId::from(*t)).collect(),
        predecessors: predecessors.iter().map(|p| ShardId(*p)).collect(),
        target: (kind == ShardKind::Work).then(|| "f-1769:live".to_owned()),
        lane: (kind == ShardKind::Work).then_some(id % 2),
        start_ms: u64::from(id) * 100,
        duration_ms: 100,
        upward_rank_ms: 0,
        reason: "one <task> & \"more\"".to_owned(),
    }
}

fn plan(shards: Vec<PlannedShard>) -> Plan {
    Plan {
        run: RunId::from("r-aaaaaaaaaaaaaaaaaaaa"),
        generation: foreshard_model::ids::Generation(0),
        parent: None,
        workflow: "count <words>".to_owned(),
        tasks: 3,
        lanes: 2,
        mode: LaneMode::Inline,
        history_budget: 15_000,
        partitions: 1,
        targets: Vec::new(),
        shards,
        reasons: Vec::new(),
        limits: Vec::new(),
        price: Price::default(),
        critical_path_ms: 200,
        work_ms: 300,
        on_failure: OnFailure::Stop,
        options: RunOptions::default(),
        objective: Objective::default(),
        warnings: Vec::new(),
    }
}

fn small() -> Plan {
    plan(vec![
        shard(0, ShardKind::Work, &["a \"quoted\""], &[]),
        shard(1, ShardKind::Work, &["b", "c"], &[0]),
        shard(2, ShardKind::Relay, &[], &[0, 1]),
        shard(3, ShardKind::End, &[], &[2]),
    ])
}

/// Opened elements, when every one is closed in turn.
fn elements(svg: &str) -> Vec<String> {
    let (mut open, mut seen) = (Vec::new(), Vec::new());
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(name),
                "{name} closes what is open"
            );
        } else {
            let name = tag.split_whitespace().next().unwrap_or_default().to_owned();
            seen.push(name.trim_end_matches('/').to_owned());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
    }
    assert!(open.is_empty(), "{open:?}");
    seen
}

#[test]
fn the_svg_is_well_formed_and_shows_every_shard_twice() {
    let svg = svg(&small());
    let elements = elements(&svg);
    // Fills, background, two shards with END, two bars.
    assert_eq!(
        elements.iter().filter(|e| *e == "rect").count(),
        4 + 1 + 3 + 2
    );
    assert!(svg.contains("shard 1 · 2 tasks"), "{svg}");
    assert!(svg.contains("relay 2") && svg.contains(">END<"));
    assert!(svg.contains("count &lt;words&gt;"));
    assert_eq!(svg, super::svg(&small()));
}

#[test]
fn the_dot_document_names_clusters_and_arrows() {
    let dot = dot(&small());
    assert!(dot.starts_with("digraph plan {") && dot.ends_with("}\n"));
    for part in [
        "subgraph cluster_0 {",
        "s0_0 [label=\"a \\\"quoted\\\"\"];",
        "s2 [shape=diamond",
        "s3 [shape=doublecircle",
        "s0_0 -> s1_0 [ltail=cluster_0, lhead=cluster_1];",
        "s2 -> s3 [];",
    ] {
        assert!(dot.contains(part), "{part} in {dot}");
    }
}

#[test]
fn arrows_that_a_longer_way_says_are_left_out() {
    // 0 → 1 → 2 says 0 → 2: two arrows and the one to END remain.
    assert_eq!(svg(&small()).matches("class=\"edge\"").count(), 3);
}

#[test]
fn shards_of_a_level_and_of_the_same_kinds_are_one_box() {
    let many = |count: u32| {
        let mut shards: Vec<PlannedShard> = (0..count)
            .map(|id| {
                let before: &[u32] = if id < 100 { &[] } else { &[id - 100] };
                shard(id, ShardKind::Work, &["t"], before)
            })
            .collect();
        let sinks: Vec<u32> = (count - 100..count).collect();
        for (shard, at) in shards.iter_mut().zip(0..) {
            shard.start_ms = at;
        }
        shards.push(shard(count, ShardKind::End, &[], &sinks));
        svg(&plan(shards))
    };
    let one = many(1_000);
    elements(&one);
    // Ten levels of a hundred, and END.
    assert_eq!(one.matches("100 shards · 100 tasks").count(), 10);
    assert!(
        one.contains(">no. 900–999<") && one.contains(">t ×100<"),
        "{one}"
    );
    // Every shard is a bar all the same, filled as its box.
    assert_eq!(one.matches("class=\"bar\"").count(), 1_000);
    assert!(one.contains("<title>shard 999: 1 tasks, 100 ms from"));
    assert_eq!(one.matches("url(#p3)").count(), 1 + 100);
    // More levels than can be read: they still are all there is.
    let levels = many(20_000);
    elements(&levels);
    assert!(levels.contains(">100 shards · 100 tasks<"));
}

#[test]
fn a_light_and_a_dark_reader_are_told_apart_shapes_by_colour_or_pattern() {
    let svg = svg(&small());
    assert!(svg.contains("@media (prefers-color-scheme:dark){"), "{svg}");
    assert_eq!(svg.matches("<pattern id=").count(), 4);
    let hatches: Vec<&str> = svg.split("class=\"hatch\" d=\"").skip(1).collect();
    assert_ne!(hatches[0].split('"').next(), hatches[1].split('"').next());
}

#[test]
fn long_names_keep_their_ends() {
    let named = |name: &str| {
        let plan = plan(vec![shard(0, ShardKind::Work, &[name], &[])]);
        let svg = svg(&plan);
        let line = svg.split("class=\"on\" x=").nth(2).unwrap_or_default();
        let text = line.split(['>', '<']).nth(1).unwrap_or_default();
        text.to_owned()
    };
    assert_eq!(named("short"), "short");
    assert_eq!(
        named("NFCORE_ATACSEQ.ATACSEQ.FASTQ_ALIGN_BWA.BWA_MEM_32"),
        "…ALIGN_BWA.BWA_MEM_32"
    );
    assert_eq!(named(&"x".repeat(40)), format!("…{}", "x".repeat(25)));
}

#[test]
fn a_time_axis_has_round_numbers() {
    for (ends, step) in [
        (9, 1),
        (10, 1),
        (11, 2),
        (149_000, 20_000),
        (741_000, 100_000),
    ] {
        assert_eq!(super::gantt::tick_ms(ends), step, "{ends}");
    }
}
