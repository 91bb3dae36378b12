"""What a stranger can try without a candidate's code: received folders, hostile answers, servers, workers, texts.

Each row is an attack with the tests that try it, the right outcome being the test. `make attacks` runs them after the
matrix of the sandbox.
"""

from __future__ import annotations

from collections.abc import Mapping

DOORS: Mapping[str, tuple[str, ...]] = {
    "a received run folder names code": (
        "tests/app/test_own_runs.py::test_what_was_changed_is_asked_about",
        "tests/app/test_own_runs.py::test_what_names_code_is_given_again_to_evaluate_a_run_of_others",
    ),
    "a received run folder takes confinement away": (
        "tests/proposers/test_models.py::test_a_run_folder_takes_no_confinement_away",
    ),
    "a received run folder names where the key goes": (
        "tests/proposers/test_models.py::test_a_key_goes_to_no_endpoint_that_only_the_run_folder_names",
    ),
    "what holds keys is looked into, or leaves a core file": (
        "tests/sandbox/test_private_process.py::test_what_holds_keys_is_private_and_then_as_before",
    ),
    "a reward traps the processor": (
        "tests/reward/analysis/test_confined.py::test_a_trap_ends_its_own_process_and_is_a_rejection",
    ),
    "a reward ends its training worker": (
        "tests/trainers/population/test_pool.py::test_after_a_death_groups_are_trained_apart_and_the_guilty_one_is_rejected",
    ),
    "a worker that was taken over lies": (
        "tests/trainers/population/test_hostile_worker.py::test_it_is_ended_and_its_own_candidate_rejected",
        "tests/trainers/population/test_hostile_worker.py::test_scores_that_are_no_numbers_are_no_score",
    ),
    "a reward is wrong, slow or large at training's size alone": (
        "tests/reward/graph/test_reward_verify.py::test_a_reward_is_tried_on_as_many_rows_as_training_has",
        "tests/reward/graph/test_reward_verify.py::test_time_and_memory_are_measured",
    ),
    "a reward mixes or numbers environments": (
        "tests/reward/graph/test_reward_verify.py::test_nothing_works_along_the_environments",
        "tests/reward/graph/test_reward_verify.py::test_a_leak_on_large_values_is_found",
    ),
    "a reward decides on what no trace shows": (
        "tests/reward/trace/test_reward_hidden_values.py::test_nothing_decides_on_the_number_of_environments",
        "tests/reward/trace/test_reward_hidden_values.py::test_nothing_is_kept_that_shows_later",
    ),
    "an answer holds up whoever reads it": (
        "tests/reward/extract/test_long_answers.py::test_repeated",
        "tests/reward/extract/test_long_answers.py::test_generated",
    ),
    "a link leads writing out of the run folder": (
        "tests/store/test_store.py::test_nothing_is_written_through_a_link_in_a_received_folder",
        "tests/store/test_hostile_folders.py::test_checkpoints_lead_nowhere_else",
        "tests/store/test_hostile_folders.py::test_the_database_is_not_that_of_another_run",
    ),
    "a link puts a file of this machine on the page": (
        "tests/store/test_hostile_folders.py::test_nothing_is_read_behind_a_link_in_the_folder",
        "tests/ui/report/test_report_films.py::test_no_file_of_this_machine_is_put_on_the_page",
    ),
    "a database is a program, or has no end": (
        "tests/store/test_hostile_folders.py::test_only_plain_tables_are_opened",
        "tests/store/test_hostile_folders.py::test_a_value_has_a_bound",
        "tests/store/test_hostile_folders.py::test_a_table_has_a_bound",
        "tests/store/test_hostile_folders.py::test_a_statement_has_a_clock",
    ),
    "a file of a run folder is a pipe, a device, or has no end": (
        "tests/store/test_hostile_folders.py::test_a_file_is_plain_and_has_a_bound",
    ),
    "a name in a review leads elsewhere": ("tests/ui/web/review/test_review_page.py::test_names_in_a_review_are_ids",),
    "a server is sent what belongs to another": (
        "tests/proposers/test_what_leaves.py::test_a_foreign_server_is_sent_the_protocol_alone",
        "tests/proposers/test_what_leaves.py::test_a_proxy_that_cannot_be_used_is_a_sentence",
    ),
    "an answer repeats the key": (
        "tests/proposers/test_what_leaves.py::test_an_answer_that_repeats_the_key_is_kept_without_it",
    ),
}
