// GET /metrics: what is known, in the text format of Prometheus. docs/operate.md lists each family
// with its labels, and a test holds the list against this. At most 1,000 zones and names have
// labels of their own (server/answer_counts.h), the rest count as "other"; endpoints, addresses and
// probes are as many as are configured. Thread rule: pure but for /proc.
#pragma once

#include <string>
#include <vector>

#include "server/desk.h"

namespace steerd::admin {

struct MetricsInput {
    const server::ServerStatus& status;
    const server::AnswerTotals& answers;
    const std::vector<const server::WorkerCounters*>& workers;
    base::Duration snapshot_lag;
    std::string version;
};

[[nodiscard]] std::string metrics_text(const MetricsInput& input);

}  // namespace steerd::admin
