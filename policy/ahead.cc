// Names and clients of a batch, read off as far as is needed to find their places. What does not
// look like a usual query is left out; so is a client who is known by its address alone, since
// there are fewer resolvers than subnets behind them. RFC 1035 §4.1, RFC 6891 §6.1.2, RFC 7871 §6.
// Thread rule: see ahead.h.
#include "policy/ahead.h"

#include <algorithm>
#include <array>

#include "dns/edns.h"
#include "dns/query.h"
#include "dns/split_name.h"
#include "dns/wire.h"
#include "policy/view.h"

namespace steerd::policy {
namespace {

constexpr std::size_t kMost = 8;
constexpr std::size_t kViews = 2;
constexpr std::size_t kNearTable = std::size_t{1} << 17;  // octets: stays in a near cache anyway

constexpr std::size_t kSubnetAt = 11;                     // in what follows the question
constexpr std::size_t kBeforeSubnet = 4 + kSubnetAt + 8;  // from the end of the question's name

/// The client subnet of IPv4 where it is the first option, as it nearly always is.
/// REQUIRES: there are more octets than those before its address.
bool read_subnet4(std::span<const std::uint8_t> behind_question, std::uint32_t& address) noexcept {
    const std::uint8_t* const p = behind_question.data();
    const std::uint8_t* const option = p + kSubnetAt;
    if (p[0] != 0 || dns::load_u16(p + 1) != static_cast<std::uint16_t>(dns::RrType::OPT) ||
        dns::load_u16(option) != static_cast<std::uint16_t>(dns::OptionCode::ClientSubnet) ||
        dns::load_u16(option + 4) != 1) {
        return false;
    }
    const std::size_t told = (option[6] + 7U) / 8;
    const std::size_t there = behind_question.size() - kSubnetAt - 8;
    address = 0;
    for (std::size_t i = 0; i < std::min({told, there, std::size_t{4}}); ++i) {
        address |= std::uint32_t{option[8 + i]} << (24 - 8 * i);
    }
    return true;
}

}  // namespace

Ahead read_ahead(const Snapshot& snapshot, std::span<const Request> batch) noexcept {
    const Plan& plan = *snapshot.plan;
    const bool far_names = plan.zone_set.is_far();
    Ahead ahead;
    if (!far_names && plan.far_views.empty()) {
        return ahead;
    }
    std::array<dns::SplitName, kMost> names;
    std::array<std::uint32_t, kMost> clients;  // NOLINT: filled as far as it is read
    std::size_t name_count = 0;
    std::size_t client_count = 0;
    for (const Request& request : batch.first(std::min(batch.size(), kMost))) {
        if (request.query.size() <= dns::kHeaderSize) {
            continue;
        }
        const auto question = request.query.subspan(dns::kHeaderSize);
        const std::size_t name_size = names[name_count].read(question);
        if (name_size == 0 || question.size() < name_size + 4) {
            continue;
        }
        ++name_count;
        if (question.size() > name_size + kBeforeSubnet && !plan.far_views.empty() &&
            read_subnet4(question.subspan(name_size + 4), clients[client_count])) {
            ++client_count;
        }
    }
    if (far_names) {
        ahead.names = plan.zone_set.read_ahead(std::span(names).first(name_count));
    }
    for (const View* const view : plan.far_views) {
        ahead.clients += view->read_ahead4(std::span(clients).first(client_count));
    }
    return ahead;
}

void note_far_views(Plan& plan) {
    plan.far_views.clear();
    for (const auto& view : plan.views) {
        if (view && view->memory_bytes() > kNearTable) {
            plan.far_views.push_back(view.get());
        }
    }
    const auto larger = [](const View* a, const View* b) {
        return a->memory_bytes() > b->memory_bytes();
    };
    std::sort(plan.far_views.begin(), plan.far_views.end(), larger);
    plan.far_views.resize(std::min(plan.far_views.size(), kViews));
}

}  // namespace steerd::policy
