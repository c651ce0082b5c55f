"""Every module has its tests: in the file of its name, or in the one that is named here."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: test file -> modules that it tests besides the one of its name
TESTED_IN = {
    "test_alerts.py": [
        "crawler/config/alerts_file.py",
        "pipelines/metrics.py",
        "pipelines/store/alarms.py",
    ],
    "test_archive_remote.py": [
        "crawler/archiving.py",
        "crawler/recovery.py",
        "pipelines/known_hosts.py",
        "pipelines/store/archive_files.py",
    ],
    "test_backfill.py": [
        "crawler/backfilling.py",
        "crawler/cli/run_backfill.py",
        "crawler/downloader/download.py",
        "pipelines/store/backfills.py",
        "pipelines/wacz.py",
        "pipelines/wanted_pages.py",
    ],
    "test_markup.py": [
        "pipelines/reading/page/bodies.py",
    ],
    "test_rereading.py": [
        "crawler/file_ledger.py",
        "crawler/file_reading.py",
        "pipelines/record_process.py",
        "pipelines/record_reader.py",
    ],
    "test_archive.py": [
        "pipelines/warc.py",
        "pipelines/warc_streams.py",
    ],
    "test_backfill_archives.py": [
        "crawler/archive_lists.py",
        "crawler/archive_site.py",
        "crawler/cc_news.py",
        "crawler/downloader/patience.py",
        "crawler/wayback.py",
    ],
    "test_boilerplate.py": [
        "pipelines/reading/body/class_name_rules.py",
    ],
    "test_browser.py": [
        "crawler/middlewares/render.py",
    ],
    "test_cli.py": [
        "crawler/cli/articles.py",
        "crawler/cli/common.py",
        "crawler/cli/db.py",
        "crawler/cli/run.py",
        "crawler/cli/run_options.py",
        "crawler/cli/run_report.py",
    ],
    "test_config.py": [
        "crawler/config/loading.py",
        "crawler/config/settings_file.py",
        "crawler/config/source_file.py",
        "crawler/config/table.py",
        "crawler/config/values.py",
        "crawler/config/watch_file.py",
    ],
    "test_copies.py": [
        "pipelines/store/near_duplicates.py",
        "pipelines/store/identities.py",
    ],
    "test_crawl.py": [
        "crawler/log_formatter.py",
        "crawler/extensions/run.py",
        "crawler/frontier.py",
        "crawler/middlewares/frontier.py",
        "crawler/in_flight.py",
        "crawler/runs.py",
        "crawler/services.py",
        "crawler/spiders/base.py",
        "crawler/spiders/documents.py",
        "crawler/spiders/news.py",
    ],
    "test_database.py": [
        "pipelines/embedded.py",
    ],
    "test_database_trouble.py": [
        "pipelines/postgres.py",
        "pipelines/store/batches.py",
        "pipelines/store/connections.py",
    ],
    "test_dates.py": [
        "pipelines/reading/fields/date_grammar.py",
        "pipelines/reading/fields/fallback_dates.py",
        "pipelines/reading/fields/visible_dates.py",
    ],
    "test_chronologies.py": [
        "pipelines/reading/body/chronology.py",
    ],
    "test_discovery.py": [
        "crawler/discovery/decoding.py",
        "crawler/discovery/document.py",
        "crawler/discovery/entries.py",
        "crawler/discovery/feed.py",
        "crawler/discovery/links.py",
        "crawler/discovery/markup.py",
        "crawler/discovery/section.py",
        "crawler/discovery/sitemap.py",
    ],
    "test_discovery_memory.py": [
        "crawler/conditional.py",
        "crawler/middlewares/conditional.py",
        "pipelines/store/documents.py",
        "pipelines/store/enqueuing.py",
        "pipelines/store/owners.py",
    ],
    "test_discovery_shapes.py": [
        "crawler/discovery/jsonfeed.py",
        "crawler/discovery/models.py",
    ],
    "test_exporting.py": [
        "pipelines/csv_cells.py",
        "crawler/cli/export.py",
    ],
    "test_extract.py": [
        "pipelines/reading/body/article.py",
        "pipelines/reading/body/main_content.py",
        "pipelines/reading/body/prune.py",
        "pipelines/reading/body/removals.py",
        "pipelines/reading/page/tree.py",
    ],
    "test_fetch.py": [
        "crawler/downloader/body.py",
        "crawler/downloader/client.py",
        "crawler/downloader/errors.py",
        "crawler/downloader/handler.py",
        "crawler/downloader/policy.py",
        "crawler/downloader/resolver.py",
        "crawler/middlewares/cookies.py",
        "crawler/middlewares/redirect.py",
        "crawler/middlewares/status.py",
        "pipelines/decompress.py",
    ],
    "test_health.py": [
        "pipelines/health_wording.py",
        "pipelines/store/health_statements.py",
    ],
    "test_item_pipelines.py": [
        "pipelines/article_item.py",
    ],
    "test_languages.py": [
        "pipelines/reading/language_keys.py",
    ],
    "test_leads.py": [
        "pipelines/reading/body/lead.py",
    ],
    "test_retention.py": [
        "pipelines/store/run_days.py",
    ],
    "test_site_models.py": [
        "crawler/extensions/site_model.py",
        "pipelines/reading/body/containers.py",
        "pipelines/reading/body/recurring.py",
        "pipelines/reading/body/repeated.py",
    ],
    "test_meaning.py": [
        "pipelines/store/meanings.py",
    ],
    "test_metadata.py": [
        "pipelines/reading/fields/images.py",
        "pipelines/reading/fields/locale.py",
        "pipelines/reading/fields/sections.py",
        "pipelines/reading/fields/teasers.py",
        "pipelines/reading/fields/selectors.py",
        "pipelines/selectors.py",
        "pipelines/reading/fields/title.py",
        "pipelines/reading/rules.py",
    ],
    "test_off_loop.py": [
        "crawler/parsing.py",
    ],
    "test_page_classifier.py": [
        "pipelines/reading/verdict/other_pages.py",
        "pipelines/reading/verdict/signs.py",
    ],
    "test_paging.py": [
        "pipelines/reading/body/joining.py",
    ],
    "test_paywall.py": [
        "pipelines/reading/body/scrambled.py",
    ],
    "test_people.py": [
        "pipelines/reading/fields/bylines.py",
        "pipelines/reading/page/visible.py",
    ],
    "test_plaintext.py": [
        "pipelines/reading/plaintext_header.py",
        "pipelines/reading/textlines.py",
    ],
    "test_probing.py": [
        "crawler/probing/addresses.py",
        "crawler/cli/sources_add.py",
        "crawler/cli/sources_test.py",
        "crawler/cli/sources_verify.py",
        "crawler/cli/try_rules.py",
        "crawler/probing/documents.py",
        "crawler/probing/drafting.py",
        "crawler/probing/findings.py",
        "crawler/probing/fixtures.py",
        "crawler/probing/models.py",
        "crawler/probing/probe.py",
        "crawler/probing/profile.py",
        "crawler/probing/sentences.py",
        "crawler/probing/source_toml.py",
        "crawler/probing/survey.py",
        "crawler/probing/trying.py",
        "crawler/probing/verify.py",
    ],
    "test_read.py": [
        "pipelines/reading/body/blocks.py",
        "pipelines/reading/body/figures.py",
        "pipelines/reading/reader.py",
    ],
    "test_replay.py": [
        "crawler/comparing.py",
    ],
    "test_retry.py": [
        "crawler/retrying.py",
        "pipelines/store/retrying.py",
    ],
    "test_rights.py": [
        "crawler/cli/sources_rights.py",
    ],
    "test_robots.py": [
        "crawler/robots_txt.py",
    ],
    "test_schedule.py": [
        "crawler/slots.py",
    ],
    "test_scrapy_commands.py": [
        "crawler/addon.py",
        "crawler/extensions/stats.py",
        "crawler/middlewares/source.py",
        "crawler/settings.py",
        "crawler/signals.py",
        "crawler/spiderloader.py",
    ],
    "test_search.py": [
        "pipelines/store/searching.py",
    ],
    "test_sources.py": [
        "crawler/single_fetch.py",
    ],
    "test_store.py": [
        "pipelines/store/keys.py",
        "pipelines/store/frontier.py",
        "pipelines/store/known.py",
        "pipelines/store/queries.py",
        "pipelines/store/outcomes.py",
        "pipelines/store/runs.py",
        "pipelines/store/session.py",
        "pipelines/store/models.py",
        "pipelines/store/writes.py",
        "pipelines/store/writing.py",
    ],
    "test_backup.py": [
        "pipelines/backup_rights.py",
    ],
    "test_structured.py": [
        "pipelines/reading/page/json_mending.py",
        "pipelines/reading/page/jsonld.py",
    ],
    "test_shared_pace.py": [
        "pipelines/store/host_slots.py",
    ],
    "test_takeover.py": [
        "pipelines/store/takeovers.py",
    ],
    "test_file_jobs.py": [
        "crawler/cli/batches.py",
        "pipelines/store/file_batches.py",
    ],
    "test_worker.py": [
        "pipelines/store/job_queue.py",
    ],
    "test_row_mapping.py": [
        "pipelines/storable.py",
        "pipelines/text_features.py",
    ],
    "test_watching.py": [
        "crawler/cli/watch.py",
        "crawler/extensions/watchlists.py",
    ],
    "test_why.py": [
        "pipelines/reading/fields/authors.py",
        "pipelines/reading/fields/times.py",
        "pipelines/reading/page/evidence.py",
    ],
    "test_web_mcp.py": [
        "crawler/cli/mcp.py",
    ],
    "test_workers.py": [
        "pipelines/forkserver.py",
        "pipelines/reader_launch.py",
        "pipelines/reader_process.py",
        "pipelines/reader_protocol.py",
    ],
}


def modules() -> list[str]:
    names = (
        path.relative_to(ROOT).as_posix() for room in ("crawler", "pipelines") for path in (ROOT / room).rglob("*.py")
    )
    return sorted(name for name in names if not Path(name).stem.startswith("__"))


def has_a_file_of_its_name(module: str) -> bool:
    return (ROOT / "tests" / f"test_{Path(module).stem}.py").is_file()


def test_a_module_without_a_test_file_of_its_name_says_where_its_tests_are():
    said = {module for tested in TESTED_IN.values() for module in tested}
    untold = [name for name in modules() if not has_a_file_of_its_name(name) and name not in said]
    assert untold == [], "write tests/test_NAME.py, or name the file that tests them in TESTED_IN"


def test_what_is_said_about_tests_is_true():
    for file, tested in TESTED_IN.items():
        assert (ROOT / "tests" / file).is_file(), file
        assert [module for module in tested if not (ROOT / module).is_file()] == [], f"{file}: no such modules"
        assert [module for module in tested if f"test_{Path(module).stem}.py" == file] == [], (
            f"{file}: its own name tells"
        )
