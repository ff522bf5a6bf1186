// The parts of GET /metrics, in the order in which they are written. Internal to admin/metrics*.
// Thread rule: pure.
#pragma once

#include "admin/metrics.h"
#include "admin/metrics_text.h"

namespace steerd::admin {

void write_answers(const MetricsInput& input, MetricsText& out);
void write_health(const MetricsInput& input, MetricsText& out);
void write_probes(const MetricsInput& input, MetricsText& out);
void write_server(const MetricsInput& input, MetricsText& out);
void write_logs(const MetricsInput& input, MetricsText& out);
void write_process(MetricsText& out);

}  // namespace steerd::admin
