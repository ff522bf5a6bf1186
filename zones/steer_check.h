// What may not stand where a route answers: the rules of product.md §3 that need the zone's data.
// Thread rule: pure but for the report.
#pragma once

#include <span>
#include <string>

#include "zones/report.h"
#include "zones/steered_owner.h"
#include "zones/zone.h"

namespace steerd::zones {

/// Errors: A or AAAA beside a route; with a CNAME member anything beside it, or the apex; a steered
/// name at or below a zone cut or DNAME, or as the target of an NS. Warning: address hints in SVCB
/// or HTTPS at a steered name. `files` are the names that the zone's RRsets were read from.
void check_steered(const Zone& zone, std::span<const SteeredOwner> steered,
                   std::span<const std::string> files, Report& report);

}  // namespace steerd::zones
