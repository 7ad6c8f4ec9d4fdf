//! Which lanes may end while the run goes on.

use super::super::{may_spare, spare};
use super::*;

/// What a lane is told that finds nothing, while some shards run on lanes of the same number, and others are not released.
fn told(edges: &str, lane: u32, running: &[u32], unreleased: &[u32]) -> Option<String> {
    let topology = Topology {
        lanes: 8,
        ..topology(edges)
    };
    let on_a_lane = |id: &u32| ShardItem {
        lane: Some(LaneId(*id)),
        ..item(*id, ShardState::Running)
    };
    let items = |ids: &[u32]| -> Vec<ShardItem> { ids.iter().map(on_a_lane).collect() };
    spare(&topology, LaneId(lane), &items(running), &items(unreleased))
}

/// Five shards side by side, then one.
const JOIN: &str = "0>5 1>5 2>5 3>5 4>5 5>6";

#[test]
fn before_a_join_one_lane_is_needed_and_one_stays() {
    insta::assert_debug_snapshot!(told(JOIN, 4, &[0, 1, 2, 3], &[4]), @r#"
    Some(
        "4 other lanes run, and what waits for them never needs more",
    )
    "#);
    assert!(told(JOIN, 2, &[0, 1], &[2]).is_some());
    assert_eq!(told(JOIN, 1, &[0], &[1]), None, "nobody would stay");
    assert_eq!(told(JOIN, 3, &[], &[0, 1, 2]), None, "they may end as well");
}

#[test]
fn before_a_fork_everybody_stays() {
    let fork = "0>1 0>2 0>3 0>4 1>5 2>5 3>5 4>5";
    assert_eq!(told(fork, 3, &[0], &[]), None);
    // Two side by side that fork later: four are needed.
    let late = "0>2 2>3 2>4 1>5 5>6 5>7 3>8 4>8 6>8 7>8";
    assert_eq!(told(late, 3, &[0, 1], &[]), None);
}

#[test]
fn what_follows_each_in_a_row_needs_no_other_lane() {
    let rows = "0>3 3>4 4>9 1>5 5>6 6>9 2>7 7>8 8>9";
    assert!(told(rows, 4, &[0, 1, 2], &[]).is_some());
    // The third row begins when the first two may still run.
    assert_eq!(told(rows, 4, &[0, 1], &[2]), None);
    assert!(told("0>3 3>9 1>3 2>3", 4, &[0, 1, 2], &[]).is_some());
}

#[test]
fn relays_need_no_lane() {
    let relayed = "0>10 1>10 2>10 3>10 10>11 11>12";
    assert!(told(relayed, 4, &[0, 1, 2], &[3]).is_some());
}

#[test]
fn of_two_lanes_none_ends() {
    for (lanes, may) in [(1, false), (2, false), (3, true)] {
        let topology = Topology {
            lanes,
            ..topology(JOIN)
        };
        assert_eq!(may_spare(&topology), may);
    }
}
