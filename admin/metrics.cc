// See metrics.h: the server itself and its process; answers and health stand in files of their own.
// Thread rule: pure but for /proc.
#include "admin/metrics.h"

#include <chrono>

#include "admin/metrics_families.h"
#include "admin/process_facts.h"

namespace steerd::admin {

using Type = MetricsText::Type;

namespace {

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

double timestamp(base::Wall wall) { return seconds(wall.time_since_epoch()); }

}  // namespace

void write_server(const MetricsInput& input, MetricsText& out) {
    const auto& status = input.status;
    out.family("steerd_build_info", Type::Gauge, "What runs; always 1.");
    out.sample({{"version", input.version}}, std::uint64_t{1});
    out.single("steerd_ready", Type::Gauge,
               "1 once queries are answered, with health that is known.",
               std::uint64_t{status.ready});
    out.single("steerd_snapshot_generation", Type::Gauge,
               "Number of the snapshot that queries see; rises with each publication.",
               status.control.generation);
    out.single("steerd_snapshot_age_seconds", Type::Gauge,
               "Time since the last publication: nothing that matters to answers changed since.",
               seconds(status.control.at - status.control.published));
    out.single("steerd_snapshot_lag_seconds", Type::Gauge,
               "How long some thread has been answering from a snapshot that was replaced.",
               seconds(input.snapshot_lag));
    out.single("steerd_stalled_threads", Type::Gauge,
               "Threads that answer queries and have not moved for seconds.",
               std::uint64_t{status.stalled_threads});
    out.family("steerd_reloads_total", Type::Counter,
               "Reloads: all swapped in, some of it refused, or all refused.");
    out.sample({{"result", "ok"}}, status.reloads.ok);
    out.sample({{"result", "partly_refused"}}, status.reloads.partly_refused);
    out.sample({{"result", "refused"}}, status.reloads.refused);
    out.single("steerd_last_load_successful", Type::Gauge,
               "1 if the last start or reload was taken whole.", std::uint64_t{status.load.ok});
    out.single("steerd_last_load_timestamp_seconds", Type::Gauge,
               "When the last start or reload ended.", timestamp(status.load.at));
    out.single("steerd_zones", Type::Gauge, "Zones that are configured.",
               std::uint64_t{status.plan->zones.size()});
    out.single("steerd_state_writable", Type::Gauge,
               "1 if orders and health survive a restart: there is a state_dir, and the last write "
               "to it worked.",
               std::uint64_t{status.keeps_state && status.state_problem.empty()});
    out.single("steerd_log_suppressed_total", Type::Counter,
               "Lines about transitions that were not logged, since there were too many.",
               status.log_suppressed);
}

void write_logs(const MetricsInput& input, MetricsText& out) {
    const auto& tap = input.status.tap;
    out.single("steerd_query_log_lines_total", Type::Counter, "Lines of the query log.", tap.lines);
    out.single("steerd_dnstap_frames_total", Type::Counter,
               "Messages handed to libfstrm; without a reader they go no further.", tap.frames);
    out.family(
        "steerd_tap_drops_total", Type::Counter,
        "What the logs of queries lost: queries for which a thread's ring had no room, lines "
        "that the log's reader had no room for, and messages that found dnstap's queue full.");
    out.sample({{"reason", "ring_full"}}, tap.dropped);
    out.sample({{"reason", "log_reader"}}, tap.log_dropped);
    out.sample({{"reason", "dnstap_reader"}}, tap.dnstap_dropped);
}

void write_process(MetricsText& out) {
    const auto facts = process_facts();
    if (!facts) {
        return;
    }
    out.single("process_cpu_seconds_total", Type::Counter, "User and system time spent.",
               facts->cpu_seconds);
    out.single("process_resident_memory_bytes", Type::Gauge, "Memory that is resident.",
               facts->resident_bytes);
    out.single("process_virtual_memory_bytes", Type::Gauge, "Memory that is mapped.",
               facts->virtual_bytes);
    out.single("process_start_time_seconds", Type::Gauge, "When the process started.",
               facts->start_time);
    out.single("process_threads", Type::Gauge, "Threads.", facts->threads);
    out.single("process_open_fds", Type::Gauge, "Open descriptors.", facts->open_fds);
    out.single("process_max_fds", Type::Gauge, "Descriptors that may be open.", facts->max_fds);
}

std::string metrics_text(const MetricsInput& input) {
    MetricsText out;
    write_server(input, out);
    write_logs(input, out);
    write_answers(input, out);
    write_health(input, out);
    write_probes(input, out);
    write_process(out);
    return out.take();
}

}  // namespace steerd::admin
