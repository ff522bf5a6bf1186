// See drain_model.h. Thread rule: one owner.
#include "admin/drain_model.h"

#include <algorithm>
#include <cmath>

#include "drill/closed_form.h"

namespace steerd::admin {

namespace {

constexpr double kRate = 1;  // questions per second at each cache
constexpr double kMost = 7 * 86400.0;

double left_of(const drill::ResolverClass& resolver, double ttl_s, double after_s) {
    const auto cache = drill::renewal_of_cache(resolver.model, ttl_s, kRate);
    const auto& client = resolver.model.client;
    if (client.restart_s > 0) {
        return std::exp(-after_s / client.restart_s);
    }
    // What a client was told last is at most the whole TTL.
    const double hold = client.present() ? client.hold_s(ttl_s) + client.grace_s : 0;
    return drill::stub_old_share(cache, hold, after_s);
}

}  // namespace

DrainModel::DrainModel() : population_(*drill::preset_population("mixed")) {}

double DrainModel::left(std::uint32_t ttl_s, base::Duration after) const {
    const double after_s = std::max(0.0, std::chrono::duration<double>(after).count());
    double sum = 0;
    for (const auto& resolver : population_.classes) {
        sum += resolver.share * left_of(resolver, ttl_s, after_s);
    }
    return std::clamp(sum, 0.0, 1.0);
}

base::Duration DrainModel::safe_after(std::uint32_t ttl_s) {
    if (const auto known = safe_.find(ttl_s); known != safe_.end()) {
        return known->second;
    }
    // The share only falls: halve to the second.
    double low = 0;
    double high = kMost;
    while (high - low > 1) {
        const double middle = (low + high) / 2;
        const auto at =
            std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(middle));
        (left(ttl_s, at) > kSafeShare ? low : high) = middle;
    }
    const base::Duration safe = std::max<base::Duration>(
        std::chrono::seconds(std::llround(std::ceil(high))), caches_after(ttl_s));
    safe_.emplace(ttl_s, safe);
    return safe;
}

base::Duration DrainModel::caches_after(std::uint32_t ttl_s) {
    return std::chrono::seconds(std::int64_t{ttl_s} + 1);
}

}  // namespace steerd::admin
