// See answers_json.h. Thread rule: pure.
#include "admin/answers_json.h"

#include "admin/worker_sums.h"

namespace steerd::admin {

namespace {

using server::AnswerLayout;
using server::AnswerTotals;

Json name_json(const AnswerTotals& totals, std::size_t name) {
    const auto& layout = totals.layout();
    const auto& label = layout.names()[name];
    Json endpoints = Json::object();
    for (std::size_t i = 0; i < label.endpoints.size(); ++i) {
        const std::uint64_t count = totals.endpoint(name, i);
        const bool other = name + 1 == layout.names().size();
        if (count > 0 || !other) {  // the shared row has every endpoint there is
            endpoints[layout.endpoints()[label.endpoints[i]]] = count;
        }
    }
    return {{"name", label.name},
            {"decisions", totals.decisions(name)},
            {"endpoints", std::move(endpoints)},
            {"nobody", totals.head(name, AnswerLayout::Nobody)},
            {"fail_open", totals.head(name, AnswerLayout::FailOpen)}};
}

}  // namespace

namespace {

Json limited_json(const WorkerSums& sums) {
    Json out = Json::object();
    for (std::size_t i = 0; i < server::kRateKinds; ++i) {
        out[std::string(kRateKindWords[i])] = {{"dropped", sums.limited_dropped[i]},
                                               {"slipped", sums.limited_slipped[i]}};
    }
    return out;
}

}  // namespace

Json answers_json(const AnswerTotals& totals,
                  const std::vector<const server::WorkerCounters*>& workers) {
    const auto& layout = totals.layout();
    const auto sums = totals.by_endpoint();
    Json endpoints = Json::object();
    for (std::size_t i = 0; i < sums.size(); ++i) {
        endpoints[layout.endpoints()[i]] = sums[i];
    }
    std::uint64_t fail_open = 0;
    Json names = Json::array();
    for (std::size_t name = 0; name < layout.names().size(); ++name) {
        fail_open += totals.head(name, AnswerLayout::FailOpen);
        const bool other = name + 1 == layout.names().size();
        if (!other || totals.decisions(name) > 0) {
            names.push_back(name_json(totals, name));
        }
    }
    const WorkerSums all = sum_of(workers);
    Json cookies = Json::object();
    const auto counts = cookie_counts(totals, all);
    for (std::size_t i = 0; i < counts.size(); ++i) {
        cookies[kCookieWords[i]] = counts[i];
    }
    return {{"queries",
             {{"udp", received(totals, all, policy::Transport::Udp)},
              {"tcp", received(totals, all, policy::Transport::Tcp)}}},
            {"dropped",
             {{"not_a_query", not_queries(all)},
              {"no_port", all.no_port},
              {"send_failed", all.send_failures}}},
            {"cookies", std::move(cookies)},
            {"limited", limited_json(all)},
            {"unproven", all.unproven},
            {"fail_open", fail_open},
            {"endpoints", std::move(endpoints)},
            {"names", std::move(names)}};
}

}  // namespace steerd::admin
