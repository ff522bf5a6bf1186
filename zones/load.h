// A zone from its master file and its steer table: the one entry to this folder's load plane. All
// problems of a zone come at once; a zone with an error is no zone.
// Never throws; bounded in what it reads and keeps. Thread rule: any thread, no shared state.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/problem.h"
#include "zones/steered_owner.h"
#include "zones/zone.h"

namespace steerd::zones {

/// The zone in the file at `path`; nullptr when an error was found (then `problems` tells).
/// $INCLUDE reaches only into the folder of `path`.
[[nodiscard]] std::shared_ptr<const Zone> load_zone(const dns::Name& apex, const std::string& path,
                                                    std::span<const SteeredOwner> steered,
                                                    base::Problems& problems) noexcept;
/// The same from text in memory; `file` is the name used in messages, $INCLUDE is an error.
[[nodiscard]] std::shared_ptr<const Zone> load_zone_text(const dns::Name& apex,
                                                         std::string_view text,
                                                         const std::string& file,
                                                         std::span<const SteeredOwner> steered,
                                                         base::Problems& problems) noexcept;

}  // namespace steerd::zones
