// Who asks: classes of resolvers with their shares of the demand, as a scenario lists them or as a
// preset from measurements. Each preset says where its numbers are from and what is assumed.
// Thread rule: values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drill/cache.h"

namespace steerd::drill {

/// Classes of one name are reported as one.
struct ResolverClass {
    std::string name;
    double share = 0;  // of the demand
    CacheModel model;
};

struct Population {
    std::vector<ResolverClass> classes;    // shares add up to 1
    std::vector<std::string> assumptions;  // each a sentence for the report
    std::string citation;                  // empty: none
};

/// One [[demand]]: resolver number r of `resolvers` gets a share in proportion to r^-zipf.
struct DemandSpec {
    std::uint64_t resolvers = 1;
    double qps = 0;
    double zipf = 0;
};

/// "ideal", "flavel2014", "bhowmick2023", "mixed"; nullopt for any other word.
[[nodiscard]] std::optional<Population> preset_population(std::string_view name);

/// The words that preset_population knows.
[[nodiscard]] std::span<const std::string_view> preset_names() noexcept;

}  // namespace steerd::drill
