//! What every engine that holds the log must do: one suite over the trait, run by each engine's tests. An engine adds
//! a harness and the line `contract!(…)`.

pub(crate) mod commands;
pub(crate) mod order;
pub(crate) mod reads;
pub(crate) mod rows;

use std::sync::Arc;

use async_trait::async_trait;

use crate::log::Log;

/// A log to test, and the ways of an intruder.
#[async_trait]
pub(crate) trait Engine: Sized + Send + Sync + 'static {
    /// A new, empty log.
    async fn new() -> Self;

    /// The log.
    fn log(&self) -> Arc<dyn Log>;

    /// Runs SQL past everything of ours; the error in words.
    async fn intrude(&self, sql: &str) -> Result<(), String>;

    /// The same where the read log lies.
    async fn intrude_reads(&self, sql: &str) -> Result<(), String>;

    /// Runs SQL where the read log lies, by one whom no trigger keeps from anything.
    async fn past_triggers(&self, sql: &str);

    /// SQL with bytes in the place of `{}`.
    fn bytes(sql: &str, bytes: &[u8]) -> String;
}

/// The suite for an engine, in a module of its tests.
macro_rules! contract {
    ($engine:ty: $($module:ident { $($law:ident),+ $(,)? })+) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let engine = <$engine as crate::log::contract::Engine>::new().await;
                crate::log::contract::$module::$law(&engine).await;
            }
        )+)+
    };
    ($engine:ty) => {
        crate::log::contract::contract! {
            $engine:
            order {
                positions_are_dense_under_many_writers_and_readers_miss_nothing,
                a_feed_misses_nothing_however_slow_its_follower,
                a_reader_sees_nothing_uncommitted,
                a_search_goes_backwards_between_its_bounds,
                stored_events_are_never_changed_or_deleted,
                leaves_hash_what_is_stored,
                time_never_goes_back,
                numbers_have_no_holes_over_new_year,
                the_position_of_a_moment,
            }
            commands {
                a_case_lives_from_received_to_closed_and_is_read_back_opened,
                a_stale_version_changes_nothing,
                the_same_command_again_has_the_same_outcome,
                the_same_id_with_another_request_is_refused,
                refused_commands_do_not_hurt_their_neighbours,
                a_rule_that_panics_hurts_nobody_else,
                data_that_is_refused_hurts_nobody_else,
                a_file_is_attached_once,
                an_event_beside_the_cases_attaches_its_files_once_and_seals_them,
                persons_are_seen_and_linked_once,
                what_a_refused_command_would_have_met_is_not_recorded,
                the_services_of_an_employer_bind_its_cases,
                a_restart_forgets_nothing,
                two_nodes_decide_on_the_newest_state,
                any_interleaving_is_as_if_one_came_after_the_other,
            }
            reads {
                readings_of_many_nodes_are_dense_and_open,
                each_month_has_its_key,
                stored_readings_are_never_changed_or_deleted,
                a_reading_that_was_changed_or_removed_is_named,
                what_is_lost_stays_lost,
                a_month_whose_key_is_destroyed_cannot_be_read_but_still_proves,
                a_month_whose_key_is_lost_records_nothing,
                what_cannot_be_recorded_is_said,
            }
            rows {
                sessions_uploads_and_drafts_are_kept_replaced_and_forgotten,
                what_has_expired_is_purged,
                a_lease_has_one_holder_and_an_epoch,
                a_delivery_is_planned_once_and_ends_once,
                an_append_moves_its_row_with_it,
                meta_is_kept,
                tokens_are_revoked_until_they_would_have_expired,
                another_key_of_tokens_goes_along_with_the_log,
                a_missing_key_is_named,
                keys_that_are_not_the_logs_stop_the_start,
                a_tail_that_was_tampered_with_stops_the_start,
            }
        }
    };
}
pub(crate) use contract;
