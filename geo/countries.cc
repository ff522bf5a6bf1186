#include "geo/countries.h"

#include <algorithm>
#include <iterator>

namespace steerd::geo {

namespace {

struct Country {
    std::string_view code;
    std::string_view continent;
    Location at;
};

// Sorted by code. Coordinates to a hundredth of a degree (about a kilometre): what a country-wide
// guess is worth. The name behind each row is the place meant.
// clang-format off
constexpr Country kCountries[] = {
    {"AD", "EU", {42.51, 1.52}},  // Andorra la Vella
    {"AE", "AS", {25.20, 55.27}},  // Dubai
    {"AF", "AS", {34.53, 69.17}},  // Kabul
    {"AG", "NA", {17.12, -61.85}},  // Saint John's
    {"AI", "NA", {18.22, -63.05}},  // The Valley
    {"AL", "EU", {41.33, 19.82}},  // Tirana
    {"AM", "AS", {40.18, 44.51}},  // Yerevan
    {"AO", "AF", {-8.84, 13.23}},  // Luanda
    {"AQ", "AN", {-77.85, 166.67}},  // McMurdo Station
    {"AR", "SA", {-34.60, -58.38}},  // Buenos Aires
    {"AS", "OC", {-14.28, -170.70}},  // Pago Pago
    {"AT", "EU", {48.21, 16.37}},  // Vienna
    {"AU", "OC", {-33.87, 151.21}},  // Sydney
    {"AW", "NA", {12.52, -70.03}},  // Oranjestad
    {"AX", "EU", {60.10, 19.94}},  // Mariehamn
    {"AZ", "AS", {40.41, 49.87}},  // Baku
    {"BA", "EU", {43.86, 18.41}},  // Sarajevo
    {"BB", "NA", {13.10, -59.62}},  // Bridgetown
    {"BD", "AS", {23.81, 90.41}},  // Dhaka
    {"BE", "EU", {50.85, 4.35}},  // Brussels
    {"BF", "AF", {12.37, -1.53}},  // Ouagadougou
    {"BG", "EU", {42.70, 23.32}},  // Sofia
    {"BH", "AS", {26.23, 50.58}},  // Manama
    {"BI", "AF", {-3.38, 29.36}},  // Bujumbura
    {"BJ", "AF", {6.37, 2.43}},  // Cotonou
    {"BL", "NA", {17.90, -62.85}},  // Gustavia
    {"BM", "NA", {32.29, -64.78}},  // Hamilton
    {"BN", "AS", {4.89, 114.94}},  // Bandar Seri Begawan
    {"BO", "SA", {-17.78, -63.18}},  // Santa Cruz de la Sierra
    {"BQ", "NA", {12.15, -68.27}},  // Kralendijk
    {"BR", "SA", {-23.55, -46.63}},  // Sao Paulo
    {"BS", "NA", {25.05, -77.35}},  // Nassau
    {"BT", "AS", {27.47, 89.64}},  // Thimphu
    {"BV", "AN", {-54.42, 3.36}},  // Bouvet Island
    {"BW", "AF", {-24.65, 25.91}},  // Gaborone
    {"BY", "EU", {53.90, 27.57}},  // Minsk
    {"BZ", "NA", {17.50, -88.20}},  // Belize City
    {"CA", "NA", {43.65, -79.38}},  // Toronto
    {"CC", "AS", {-12.16, 96.82}},  // West Island
    {"CD", "AF", {-4.32, 15.31}},  // Kinshasa
    {"CF", "AF", {4.36, 18.56}},  // Bangui
    {"CG", "AF", {-4.27, 15.27}},  // Brazzaville
    {"CH", "EU", {47.37, 8.54}},  // Zurich
    {"CI", "AF", {5.36, -4.01}},  // Abidjan
    {"CK", "OC", {-21.21, -159.78}},  // Avarua
    {"CL", "SA", {-33.45, -70.67}},  // Santiago
    {"CM", "AF", {4.05, 9.70}},  // Douala
    {"CN", "AS", {31.23, 121.47}},  // Shanghai
    {"CO", "SA", {4.71, -74.07}},  // Bogota
    {"CR", "NA", {9.93, -84.08}},  // San Jose
    {"CU", "NA", {23.11, -82.37}},  // Havana
    {"CV", "AF", {14.93, -23.51}},  // Praia
    {"CW", "NA", {12.11, -68.93}},  // Willemstad
    {"CX", "AS", {-10.42, 105.68}},  // Flying Fish Cove
    {"CY", "EU", {35.17, 33.36}},  // Nicosia
    {"CZ", "EU", {50.08, 14.44}},  // Prague
    {"DE", "EU", {52.52, 13.40}},  // Berlin
    {"DJ", "AF", {11.59, 43.15}},  // Djibouti
    {"DK", "EU", {55.68, 12.57}},  // Copenhagen
    {"DM", "NA", {15.30, -61.39}},  // Roseau
    {"DO", "NA", {18.49, -69.93}},  // Santo Domingo
    {"DZ", "AF", {36.75, 3.06}},  // Algiers
    {"EC", "SA", {-2.19, -79.89}},  // Guayaquil
    {"EE", "EU", {59.44, 24.75}},  // Tallinn
    {"EG", "AF", {30.04, 31.24}},  // Cairo
    {"EH", "AF", {27.15, -13.20}},  // Laayoune
    {"ER", "AF", {15.32, 38.93}},  // Asmara
    {"ES", "EU", {40.42, -3.70}},  // Madrid
    {"ET", "AF", {9.02, 38.75}},  // Addis Ababa
    {"FI", "EU", {60.17, 24.94}},  // Helsinki
    {"FJ", "OC", {-18.14, 178.44}},  // Suva
    {"FK", "SA", {-51.70, -57.85}},  // Stanley
    {"FM", "OC", {7.45, 151.84}},  // Weno
    {"FO", "EU", {62.01, -6.77}},  // Torshavn
    {"FR", "EU", {48.86, 2.35}},  // Paris
    {"GA", "AF", {0.39, 9.45}},  // Libreville
    {"GB", "EU", {51.51, -0.13}},  // London
    {"GD", "NA", {12.05, -61.75}},  // Saint George's
    {"GE", "AS", {41.72, 44.79}},  // Tbilisi
    {"GF", "SA", {4.94, -52.33}},  // Cayenne
    {"GG", "EU", {49.46, -2.54}},  // Saint Peter Port
    {"GH", "AF", {5.60, -0.19}},  // Accra
    {"GI", "EU", {36.14, -5.35}},  // Gibraltar
    {"GL", "NA", {64.18, -51.72}},  // Nuuk
    {"GM", "AF", {13.44, -16.68}},  // Serekunda
    {"GN", "AF", {9.51, -13.71}},  // Conakry
    {"GP", "NA", {16.27, -61.50}},  // Les Abymes
    {"GQ", "AF", {1.86, 9.77}},  // Bata
    {"GR", "EU", {37.98, 23.73}},  // Athens
    {"GS", "AN", {-54.28, -36.51}},  // Grytviken
    {"GT", "NA", {14.63, -90.51}},  // Guatemala City
    {"GU", "OC", {13.52, 144.84}},  // Dededo
    {"GW", "AF", {11.86, -15.60}},  // Bissau
    {"GY", "SA", {6.80, -58.16}},  // Georgetown
    {"HK", "AS", {22.32, 114.17}},  // Hong Kong
    {"HM", "AN", {-53.08, 73.50}},  // Heard Island
    {"HN", "NA", {14.07, -87.19}},  // Tegucigalpa
    {"HR", "EU", {45.81, 15.98}},  // Zagreb
    {"HT", "NA", {18.54, -72.34}},  // Port-au-Prince
    {"HU", "EU", {47.50, 19.04}},  // Budapest
    {"ID", "AS", {-6.21, 106.85}},  // Jakarta
    {"IE", "EU", {53.35, -6.26}},  // Dublin
    {"IL", "AS", {31.77, 35.21}},  // Jerusalem
    {"IM", "EU", {54.15, -4.48}},  // Douglas
    {"IN", "AS", {19.08, 72.88}},  // Mumbai
    {"IO", "AS", {-7.31, 72.41}},  // Diego Garcia
    {"IQ", "AS", {33.31, 44.37}},  // Baghdad
    {"IR", "AS", {35.69, 51.39}},  // Tehran
    {"IS", "EU", {64.15, -21.94}},  // Reykjavik
    {"IT", "EU", {41.90, 12.50}},  // Rome
    {"JE", "EU", {49.19, -2.11}},  // Saint Helier
    {"JM", "NA", {17.97, -76.79}},  // Kingston
    {"JO", "AS", {31.95, 35.93}},  // Amman
    {"JP", "AS", {35.68, 139.69}},  // Tokyo
    {"KE", "AF", {-1.29, 36.82}},  // Nairobi
    {"KG", "AS", {42.87, 74.59}},  // Bishkek
    {"KH", "AS", {11.56, 104.92}},  // Phnom Penh
    {"KI", "OC", {1.33, 172.98}},  // South Tarawa
    {"KM", "AF", {-11.70, 43.26}},  // Moroni
    {"KN", "NA", {17.30, -62.72}},  // Basseterre
    {"KP", "AS", {39.04, 125.76}},  // Pyongyang
    {"KR", "AS", {37.57, 126.98}},  // Seoul
    {"KW", "AS", {29.38, 47.99}},  // Kuwait City
    {"KY", "NA", {19.29, -81.37}},  // George Town
    {"KZ", "AS", {43.24, 76.89}},  // Almaty
    {"LA", "AS", {17.98, 102.63}},  // Vientiane
    {"LB", "AS", {33.89, 35.50}},  // Beirut
    {"LC", "NA", {14.01, -60.99}},  // Castries
    {"LI", "EU", {47.17, 9.51}},  // Schaan
    {"LK", "AS", {6.93, 79.85}},  // Colombo
    {"LR", "AF", {6.30, -10.80}},  // Monrovia
    {"LS", "AF", {-29.31, 27.48}},  // Maseru
    {"LT", "EU", {54.69, 25.28}},  // Vilnius
    {"LU", "EU", {49.61, 6.13}},  // Luxembourg
    {"LV", "EU", {56.95, 24.11}},  // Riga
    {"LY", "AF", {32.89, 13.19}},  // Tripoli
    {"MA", "AF", {33.57, -7.59}},  // Casablanca
    {"MC", "EU", {43.74, 7.42}},  // Monaco
    {"MD", "EU", {47.01, 28.86}},  // Chisinau
    {"ME", "EU", {42.44, 19.26}},  // Podgorica
    {"MF", "NA", {18.07, -63.08}},  // Marigot
    {"MG", "AF", {-18.88, 47.51}},  // Antananarivo
    {"MH", "OC", {7.09, 171.38}},  // Majuro
    {"MK", "EU", {42.00, 21.43}},  // Skopje
    {"ML", "AF", {12.64, -8.00}},  // Bamako
    {"MM", "AS", {16.87, 96.20}},  // Yangon
    {"MN", "AS", {47.89, 106.91}},  // Ulaanbaatar
    {"MO", "AS", {22.20, 113.54}},  // Macao
    {"MP", "OC", {15.19, 145.75}},  // Saipan
    {"MQ", "NA", {14.62, -61.06}},  // Fort-de-France
    {"MR", "AF", {18.08, -15.98}},  // Nouakchott
    {"MS", "NA", {16.79, -62.21}},  // Brades
    {"MT", "EU", {35.90, 14.51}},  // Valletta
    {"MU", "AF", {-20.16, 57.50}},  // Port Louis
    {"MV", "AS", {4.18, 73.51}},  // Male
    {"MW", "AF", {-13.96, 33.77}},  // Lilongwe
    {"MX", "NA", {19.43, -99.13}},  // Mexico City
    {"MY", "AS", {3.14, 101.69}},  // Kuala Lumpur
    {"MZ", "AF", {-25.97, 32.57}},  // Maputo
    {"NA", "AF", {-22.56, 17.08}},  // Windhoek
    {"NC", "OC", {-22.27, 166.44}},  // Noumea
    {"NE", "AF", {13.51, 2.13}},  // Niamey
    {"NF", "OC", {-29.06, 167.96}},  // Kingston
    {"NG", "AF", {6.52, 3.38}},  // Lagos
    {"NI", "NA", {12.11, -86.24}},  // Managua
    {"NL", "EU", {52.37, 4.90}},  // Amsterdam
    {"NO", "EU", {59.91, 10.75}},  // Oslo
    {"NP", "AS", {27.72, 85.32}},  // Kathmandu
    {"NR", "OC", {-0.55, 166.92}},  // Yaren
    {"NU", "OC", {-19.06, -169.92}},  // Alofi
    {"NZ", "OC", {-36.85, 174.76}},  // Auckland
    {"OM", "AS", {23.59, 58.41}},  // Muscat
    {"PA", "NA", {8.98, -79.52}},  // Panama City
    {"PE", "SA", {-12.05, -77.04}},  // Lima
    {"PF", "OC", {-17.55, -149.56}},  // Faaa
    {"PG", "OC", {-9.44, 147.18}},  // Port Moresby
    {"PH", "AS", {14.60, 120.98}},  // Manila
    {"PK", "AS", {24.86, 67.01}},  // Karachi
    {"PL", "EU", {52.23, 21.01}},  // Warsaw
    {"PM", "NA", {46.78, -56.18}},  // Saint-Pierre
    {"PN", "OC", {-25.07, -130.10}},  // Adamstown
    {"PR", "NA", {18.47, -66.11}},  // San Juan
    {"PS", "AS", {31.50, 34.47}},  // Gaza
    {"PT", "EU", {38.72, -9.14}},  // Lisbon
    {"PW", "OC", {7.34, 134.48}},  // Koror
    {"PY", "SA", {-25.26, -57.58}},  // Asuncion
    {"QA", "AS", {25.29, 51.53}},  // Doha
    {"RE", "AF", {-20.88, 55.45}},  // Saint-Denis
    {"RO", "EU", {44.43, 26.10}},  // Bucharest
    {"RS", "EU", {44.79, 20.45}},  // Belgrade
    {"RU", "EU", {55.76, 37.62}},  // Moscow
    {"RW", "AF", {-1.94, 30.06}},  // Kigali
    {"SA", "AS", {24.71, 46.68}},  // Riyadh
    {"SB", "OC", {-9.43, 159.95}},  // Honiara
    {"SC", "AF", {-4.62, 55.45}},  // Victoria
    {"SD", "AF", {15.50, 32.56}},  // Khartoum
    {"SE", "EU", {59.33, 18.07}},  // Stockholm
    {"SG", "AS", {1.35, 103.82}},  // Singapore
    {"SH", "AF", {-15.92, -5.72}},  // Jamestown
    {"SI", "EU", {46.06, 14.51}},  // Ljubljana
    {"SJ", "EU", {78.22, 15.65}},  // Longyearbyen
    {"SK", "EU", {48.15, 17.11}},  // Bratislava
    {"SL", "AF", {8.48, -13.23}},  // Freetown
    {"SM", "EU", {43.97, 12.48}},  // Serravalle
    {"SN", "AF", {14.72, -17.47}},  // Dakar
    {"SO", "AF", {2.05, 45.32}},  // Mogadishu
    {"SR", "SA", {5.85, -55.20}},  // Paramaribo
    {"SS", "AF", {4.85, 31.58}},  // Juba
    {"ST", "AF", {0.34, 6.73}},  // Sao Tome
    {"SV", "NA", {13.69, -89.22}},  // San Salvador
    {"SX", "NA", {18.03, -63.05}},  // Philipsburg
    {"SY", "AS", {33.51, 36.29}},  // Damascus
    {"SZ", "AF", {-26.50, 31.38}},  // Manzini
    {"TC", "NA", {21.77, -72.27}},  // Providenciales
    {"TD", "AF", {12.13, 15.06}},  // N'Djamena
    {"TF", "AN", {-49.35, 70.22}},  // Port-aux-Francais
    {"TG", "AF", {6.13, 1.22}},  // Lome
    {"TH", "AS", {13.76, 100.50}},  // Bangkok
    {"TJ", "AS", {38.56, 68.79}},  // Dushanbe
    {"TK", "OC", {-9.38, -171.22}},  // Fakaofo
    {"TL", "AS", {-8.56, 125.56}},  // Dili
    {"TM", "AS", {37.96, 58.33}},  // Ashgabat
    {"TN", "AF", {36.81, 10.18}},  // Tunis
    {"TO", "OC", {-21.14, -175.20}},  // Nuku'alofa
    {"TR", "AS", {41.01, 28.98}},  // Istanbul
    {"TT", "NA", {10.52, -61.41}},  // Chaguanas
    {"TV", "OC", {-8.52, 179.20}},  // Funafuti
    {"TW", "AS", {25.03, 121.57}},  // Taipei
    {"TZ", "AF", {-6.79, 39.21}},  // Dar es Salaam
    {"UA", "EU", {50.45, 30.52}},  // Kyiv
    {"UG", "AF", {0.35, 32.58}},  // Kampala
    {"UM", "OC", {28.21, -177.38}},  // Midway
    {"US", "NA", {40.71, -74.01}},  // New York
    {"UY", "SA", {-34.90, -56.16}},  // Montevideo
    {"UZ", "AS", {41.30, 69.24}},  // Tashkent
    {"VA", "EU", {41.90, 12.45}},  // Vatican City
    {"VC", "NA", {13.16, -61.22}},  // Kingstown
    {"VE", "SA", {10.48, -66.90}},  // Caracas
    {"VG", "NA", {18.43, -64.62}},  // Road Town
    {"VI", "NA", {18.34, -64.93}},  // Charlotte Amalie
    {"VN", "AS", {10.82, 106.63}},  // Ho Chi Minh City
    {"VU", "OC", {-17.73, 168.32}},  // Port Vila
    {"WF", "OC", {-13.28, -176.17}},  // Mata-Utu
    {"WS", "OC", {-13.83, -171.77}},  // Apia
    {"XK", "EU", {42.66, 21.17}},  // Pristina
    {"YE", "AS", {15.37, 44.19}},  // Sanaa
    {"YT", "AF", {-12.78, 45.23}},  // Mamoudzou
    {"ZA", "AF", {-26.20, 28.05}},  // Johannesburg
    {"ZM", "AF", {-15.39, 28.32}},  // Lusaka
    {"ZW", "AF", {-17.83, 31.05}},  // Harare
};
// clang-format on

static_assert(std::is_sorted(std::begin(kCountries), std::end(kCountries),
                             [](const Country& a, const Country& b) { return a.code < b.code; }));

constexpr std::string_view kContinents[] = {"AF", "AN", "AS", "EU", "NA", "OC", "SA"};

/// Codes that are no country but tell where the address is, and one old spelling.
struct PseudoCountry {
    std::string_view code;
    std::string_view country;    // empty: none
    std::string_view continent;  // used where there is no country
};

constexpr PseudoCountry kPseudoCountries[] = {
    {"AN", "", "NA"},  // Netherlands Antilles, dissolved in 2010
    {"AP", "", "AS"},  // "Asia/Pacific", a database's invention
    {"CS", "", "EU"},  // Serbia and Montenegro, until 2006
    {"EU", "", "EU"},  // reserved for the European Union
    {"SU", "", "EU"},  // Soviet Union, still a top-level domain
    {"UK", "GB", ""},
};

const Country* find_country(std::string_view code) noexcept {
    const Country* at =
        std::lower_bound(std::begin(kCountries), std::end(kCountries), code,
                         [](const Country& c, std::string_view text) { return c.code < text; });
    return at != std::end(kCountries) && at->code == code ? at : nullptr;
}

const PseudoCountry* find_pseudo(std::string_view code) noexcept {
    const PseudoCountry* at = std::find_if(std::begin(kPseudoCountries), std::end(kPseudoCountries),
                                           [&](const PseudoCountry& p) { return p.code == code; });
    return at != std::end(kPseudoCountries) ? at : nullptr;
}

}  // namespace

std::optional<ContinentCode> continent_of(const CountryCode& country) noexcept {
    const Country* row = find_country(country.view());
    return row == nullptr ? std::nullopt : ContinentCode::from(row->continent);
}

std::optional<Location> representative_location(const CountryCode& country) noexcept {
    const Country* row = find_country(country.view());
    return row == nullptr ? std::nullopt : std::optional<Location>(row->at);
}

std::optional<CountryCode> parse_country(std::string_view text) noexcept {
    return facts_of_country_field(text).country;
}

std::optional<ContinentCode> parse_continent(std::string_view text) noexcept {
    const std::optional<ContinentCode> code = ContinentCode::from(text);
    const bool exists = code && std::find(std::begin(kContinents), std::end(kContinents),
                                          code->view()) != std::end(kContinents);
    return exists ? code : std::nullopt;
}

std::optional<SubdivisionCode> parse_subdivision(std::string_view text) noexcept {
    const std::optional<SubdivisionCode> code = SubdivisionCode::from(text);
    if (!code || text.size() < 4 || text[2] != '-' || text.find('-', 3) != std::string_view::npos ||
        find_country(code->view().substr(0, 2)) == nullptr) {
        return std::nullopt;
    }
    return code;
}

Facts facts_of_country_field(std::string_view text) noexcept {
    Facts facts;
    std::optional<CountryCode> code = CountryCode::from(text);
    if (!code) {
        return facts;
    }
    if (const PseudoCountry* pseudo = find_pseudo(code->view())) {
        facts.country = CountryCode::from(pseudo->country);
        facts.continent = ContinentCode::from(pseudo->continent);
    } else if (find_country(code->view()) != nullptr) {
        facts.country = code;
    }
    complete(facts);
    return facts;
}

void complete(Facts& facts) noexcept {
    if (facts.subdivision) {
        const std::optional<CountryCode> country =
            CountryCode::from(facts.subdivision->view().substr(0, 2));
        if (!facts.country) {
            facts.country = country;
        } else if (facts.country != country) {
            facts.subdivision.reset();
        }
    }
    if (facts.country && !facts.continent) {
        facts.continent = continent_of(*facts.country);
    }
}

void merge(Facts& facts, const Facts& other) noexcept {
    const auto take = [](auto& mine, const auto& theirs) {
        if (!mine) {
            mine = theirs;
        }
    };
    take(facts.country, other.country);
    take(facts.continent, other.continent);
    take(facts.subdivision, other.subdivision);
    take(facts.asn, other.asn);
    take(facts.location, other.location);
    complete(facts);
}

}  // namespace steerd::geo
