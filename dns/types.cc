// One table of words for each kind of number, read in both directions.
// IANA "Domain Name System (DNS) Parameters"; RFC 3597 §5 for the rest (TYPEnnn, CLASSnnn).
// Types that mean nothing to this server have a word here too, so that people can read them.
// Thread rule: constants and pure functions.
#include "dns/types.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "dns/name.h"

namespace steerd::dns {

namespace {

struct Word {
    std::uint16_t number;
    std::string_view text;
};

constexpr std::array kTypes = std::to_array<Word>({
    {1, "A"},           {2, "NS"},       {3, "MD"},          {4, "MF"},      {5, "CNAME"},
    {6, "SOA"},         {7, "MB"},       {8, "MG"},          {9, "MR"},      {10, "NULL"},
    {11, "WKS"},        {12, "PTR"},     {13, "HINFO"},      {14, "MINFO"},  {15, "MX"},
    {16, "TXT"},        {17, "RP"},      {18, "AFSDB"},      {19, "X25"},    {20, "ISDN"},
    {21, "RT"},         {22, "NSAP"},    {23, "NSAP-PTR"},   {24, "SIG"},    {25, "KEY"},
    {26, "PX"},         {27, "GPOS"},    {28, "AAAA"},       {29, "LOC"},    {30, "NXT"},
    {31, "EID"},        {32, "NIMLOC"},  {33, "SRV"},        {34, "ATMA"},   {35, "NAPTR"},
    {36, "KX"},         {37, "CERT"},    {38, "A6"},         {39, "DNAME"},  {40, "SINK"},
    {41, "OPT"},        {42, "APL"},     {43, "DS"},         {44, "SSHFP"},  {45, "IPSECKEY"},
    {46, "RRSIG"},      {47, "NSEC"},    {48, "DNSKEY"},     {49, "DHCID"},  {50, "NSEC3"},
    {51, "NSEC3PARAM"}, {52, "TLSA"},    {53, "SMIMEA"},     {55, "HIP"},    {58, "TALINK"},
    {59, "CDS"},        {60, "CDNSKEY"}, {61, "OPENPGPKEY"}, {62, "CSYNC"},  {63, "ZONEMD"},
    {64, "SVCB"},       {65, "HTTPS"},   {99, "SPF"},        {104, "NID"},   {105, "L32"},
    {106, "L64"},       {107, "LP"},     {108, "EUI48"},     {109, "EUI64"}, {249, "TKEY"},
    {250, "TSIG"},      {251, "IXFR"},   {252, "AXFR"},      {253, "MAILB"}, {254, "MAILA"},
    {255, "ANY"},       {256, "URI"},    {257, "CAA"},       {258, "AVC"},   {260, "AMTRELAY"},
    {32768, "TA"},      {32769, "DLV"},
});

constexpr std::array kClasses =
    std::to_array<Word>({{1, "IN"}, {3, "CH"}, {4, "HS"}, {254, "NONE"}, {255, "ANY"}});

constexpr std::array kRcodes = std::to_array<Word>({
    {0, "NOERROR"},
    {1, "FORMERR"},
    {2, "SERVFAIL"},
    {3, "NXDOMAIN"},
    {4, "NOTIMP"},
    {5, "REFUSED"},
    {6, "YXDOMAIN"},
    {7, "YXRRSET"},
    {8, "NXRRSET"},
    {9, "NOTAUTH"},
    {10, "NOTZONE"},
    {16, "BADVERS"},
    {23, "BADCOOKIE"},
});

std::string word_or_number(std::span<const Word> words, std::uint16_t number, const char* prefix) {
    const auto* const found = std::lower_bound(
        words.data(), words.data() + words.size(), number,
        [](const Word& word, std::uint16_t wanted) { return word.number < wanted; });
    if (found != words.data() + words.size() && found->number == number) {
        return std::string(found->text);
    }
    return prefix + std::to_string(number);
}

bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return lower(static_cast<std::uint8_t>(x)) == lower(static_cast<std::uint8_t>(y));
    });
}

}  // namespace

std::string to_text(RrType type) {
    return word_or_number(kTypes, static_cast<std::uint16_t>(type), "TYPE");
}

std::optional<RrType> parse_type(std::string_view text) noexcept {
    for (const Word& word : kTypes) {
        if (same_word(word.text, text)) {
            return static_cast<RrType>(word.number);
        }
    }
    constexpr std::size_t kPrefix = 4;
    if (text.size() <= kPrefix || !same_word(text.substr(0, kPrefix), "TYPE")) {
        return std::nullopt;
    }
    std::uint16_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + kPrefix, end, number);
    if (error != std::errc() || stop != end) {
        return std::nullopt;
    }
    return static_cast<RrType>(number);
}

std::string to_text(Rcode rcode) {
    return word_or_number(kRcodes, static_cast<std::uint16_t>(rcode), "RCODE");
}

std::string to_text(RrClass rrclass) {
    return word_or_number(kClasses, static_cast<std::uint16_t>(rrclass), "CLASS");
}

}  // namespace steerd::dns
