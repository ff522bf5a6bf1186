// `answers` of GET /api/v1/status: how often each endpoint was handed out, in all and for each
// name, and what became of queries. Totals since the start; rates are the reader's work.
// Thread rule: pure.
#pragma once

#include <vector>

#include "admin/json.h"
#include "server/answer_book.h"
#include "server/counters.h"

namespace steerd::admin {

[[nodiscard]] Json answers_json(const server::AnswerTotals& totals,
                                const std::vector<const server::WorkerCounters*>& workers);

}  // namespace steerd::admin
