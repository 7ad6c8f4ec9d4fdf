//! One contract for every adapter of the stages' ports: the same checks over the ports in memory and over the ones on AWS.

#![expect(clippy::print_stderr, reason = "a test says loudly what it left out")]
#![expect(
    clippy::unwrap_used,
    reason = "a check that cannot go on is a broken contract"
)]

/// Checks with their names.
macro_rules! checks {
    ($($check:path),* $(,)?) => {
        vec![$((stringify!($check), (|adapters| Box::pin($check(adapters))) as Check)),*]
    };
}

#[path = "contract/adapters.rs"]
mod adapters;
#[path = "contract/attempts.rs"]
mod attempts;
#[path = "contract/blobs.rs"]
mod blobs;
#[path = "contract/emulator.rs"]
mod emulator;
#[path = "contract/executions.rs"]
mod executions;
#[path = "contract/frontier.rs"]
mod frontier;
#[path = "contract/indexes.rs"]
mod indexes;
#[path = "contract/items.rs"]
mod items;
#[path = "contract/learnt.rs"]
mod learnt;
#[path = "contract/ledger.rs"]
mod ledger;
#[path = "contract/memory.rs"]
mod memory;
#[path = "contract/only_aws.rs"]
mod only_aws;
#[path = "contract/races.rs"]
mod races;
#[path = "contract/runs.rs"]
mod runs;
#[path = "contract/schedules.rs"]
mod schedules;
#[path = "contract/services.rs"]
mod services;
#[path = "contract/warm.rs"]
mod warm;

use std::pin::Pin;
use std::sync::Arc;

use adapters::Adapters;

/// One check: panics when the contract is broken.
type Check = fn(Arc<Adapters>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// What every adapter must keep.
fn contract() -> Vec<(&'static str, Check)> {
    checks![
        runs::a_run_is_created_once,
        runs::a_run_is_written_by_version,
        runs::a_run_is_active_until_it_is_terminal,
        runs::runs_are_listed_newest_first_in_pages,
        runs::starts_are_taken_off_an_allowance_that_comes_back,
        runs::starts_at_the_same_time_get_no_more_than_there_is,
        frontier::shards_are_created_once_and_stay_as_they_are,
        frontier::a_partition_gives_its_shards_by_id,
        frontier::some_shards_are_read_and_missing_ones_left_out,
        frontier::one_write_is_by_version,
        frontier::several_writes_are_all_or_none,
        frontier::a_question_is_opened_by_one_call,
        frontier::more_than_a_transaction_is_refused,
        frontier::a_lane_comes_back_as_it_was,
        frontier::an_arrival_is_harmless_when_repeated,
        frontier::an_arrival_at_nothing_is_not_found,
        indexes::ready_shards_come_by_rank,
        indexes::live_lists_what_must_be_looked_after,
        indexes::parked_lanes_are_listed_until_the_token_is_gone,
        races::one_of_many_claims_wins,
        races::arrivals_from_everywhere_are_all_there,
        races::creating_at_once_creates_once,
        attempts::a_checkpoint_is_fenced_by_the_attempt,
        attempts::a_checkpoint_leaves_what_it_does_not_name,
        attempts::pointers_are_those_of_committed_outputs,
        ledger::events_come_by_time_and_once,
        ledger::reading_goes_on_after_a_key,
        blobs::a_blob_comes_back_as_it_was,
        blobs::a_missing_blob_is_not_found,
        blobs::a_new_blob_is_written_once,
        blobs::files_go_there_and_back,
        blobs::keys_are_listed_in_order_and_in_pages,
        blobs::presigned_requests_name_the_key,
        executions::a_round_is_started_once,
        executions::a_round_that_was_never_started_is_none,
        executions::a_token_is_answered_once,
        schedules::a_schedule_is_written_by_version,
        schedules::schedules_are_listed_by_name_in_pages,
        schedules::what_is_due_is_found_until_it_is_looked_after,
        schedules::a_timer_is_set_and_removed_however_often,
        services::a_role_is_assumed_for_a_while,
        services::an_unknown_function_is_not_found,
        services::samples_are_published,
        warm::environments_are_asked_for_and_released_however_often,
        warm::a_target_that_is_not_there_is_not_found,
        warm::none_cannot_be_asked_for,
        warm::what_the_account_has_is_told_or_nobody_tells_it,
        learnt::metrics_are_read_back_by_the_minute,
        learnt::a_profile_is_written_by_version,
        learnt::profiles_of_a_type_are_found_by_key,
        learnt::the_latest_forecast_of_a_place_stays,
        learnt::the_latest_outlook_stays,
        learnt::decisions_come_newest_first,
    ]
}

/// Runs every check and names all that failed.
async fn run_all(checks: Vec<(&'static str, Check)>, adapters: &Arc<Adapters>) {
    let mut failed = Vec::new();
    for (name, check) in checks {
        let outcome = tokio::spawn(check(Arc::clone(adapters))).await;
        if outcome.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "broken: {failed:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ports_in_memory_keep_the_contract() {
    run_all(contract(), &Arc::new(memory::adapters())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_ports_on_aws_keep_the_contract() {
    let Some(emulator) = emulator::start().await else {
        return;
    };
    let adapters = Arc::new(emulator.adapters().await);
    run_all(contract(), &adapters).await;
    run_all(only_aws::contract(), &adapters).await;
}
