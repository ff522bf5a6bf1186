// The countries of ISO 3166-1 (and Kosovo's XK, which databases use): the continent each lies on
// and where it stands when a source knows the country but no coordinates, at its largest city.
//
// A table of our own, so that no data file is needed. Codes that name no country but do tell the
// continent (EU, AP, and the dissolved AN and CS) give the continent alone; UK is GB; everything
// else ("??", A1, A2, XX, ZZ ...) is unknown. Thread rule: constant data.
#pragma once

#include <optional>
#include <string_view>

#include "geo/place.h"

namespace steerd::geo {

/// The continent that a country lies on; nullopt when the code names no country.
[[nodiscard]] std::optional<ContinentCode> continent_of(const CountryCode& country) noexcept;
/// Its largest city (for territories without one, the main settlement or station).
[[nodiscard]] std::optional<Location> representative_location(const CountryCode& country) noexcept;
/// A country that exists, in upper case, with UK read as GB; nullopt for everything else.
[[nodiscard]] std::optional<CountryCode> parse_country(std::string_view text) noexcept;
/// One of the seven continents' codes; nullopt for everything else.
[[nodiscard]] std::optional<ContinentCode> parse_continent(std::string_view text) noexcept;
/// "US-CA": an existing country, a hyphen and one to three letters or digits.
[[nodiscard]] std::optional<SubdivisionCode> parse_subdivision(std::string_view text) noexcept;
/// What a country field of a database says, pseudo codes included: country and continent, the
/// continent alone, or nothing.
[[nodiscard]] Facts facts_of_country_field(std::string_view text) noexcept;
/// Fills in what follows from the facts themselves: the country of a subdivision, the continent of
/// a country; and drops a subdivision that lies in another country.
void complete(Facts& facts) noexcept;
/// Takes from `other` each fact that `facts` lacks, but for a subdivision of another country.
void merge(Facts& facts, const Facts& other) noexcept;

}  // namespace steerd::geo
