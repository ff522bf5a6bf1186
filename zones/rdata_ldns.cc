// All of ldns that the server contains. It reads text and, for \#, octets of a file that the
// operator wrote; never a packet (ldns leaks on malformed ones). RFC 9460, 6844, 4034 and whatever
// else it knows. Thread rule: see rdata_ldns.h.
#include "zones/rdata_ldns.h"

#include <ldns/ldns.h>

#include <memory>

#include "base/text.h"

namespace steerd::zones {

namespace {

struct FreeRr {
    void operator()(ldns_rr* rr) const noexcept { ldns_rr_free(rr); }
};

struct FreeRdf {
    void operator()(ldns_rdf* rdf) const noexcept { ldns_rdf_deep_free(rdf); }
};

using Rr = std::unique_ptr<ldns_rr, FreeRr>;
using Rdf = std::unique_ptr<ldns_rdf, FreeRdf>;

std::string error_text(ldns_status status) {
    const char* const text = ldns_get_errorstr_by_id(status);
    return text != nullptr ? text : "unknown error";
}

}  // namespace

std::optional<dns::RrType> ldns_type(const std::string& word) {
    // TYPEnnn is dns::parse_type's: ldns takes TYPE12x for 12, and numbers beyond 16 bits.
    if (base::ascii_lower(word.substr(0, 4)) == "type") {
        return std::nullopt;
    }
    const auto type = ldns_get_rr_type_by_name(word.c_str());
    return type == 0 ? std::nullopt
                     : std::optional(static_cast<dns::RrType>(static_cast<std::uint16_t>(type)));
}

bool ldns_knows(dns::RrType type) {
    const auto* const form = ldns_rr_descript(static_cast<std::uint16_t>(type));
    // Types without a form of their own share one whose only field is "unknown".
    return form != nullptr && !(ldns_rr_descriptor_maximum(form) > 0 &&
                                ldns_rr_descriptor_field_type(form, 0) == LDNS_RDF_TYPE_UNKNOWN);
}

bool ldns_reads_name(dns::RrType type, std::size_t index) {
    const auto* const form = ldns_rr_descript(static_cast<std::uint16_t>(type));
    return form != nullptr && index < ldns_rr_descriptor_minimum(form) &&
           ldns_rr_descriptor_field_type(form, index) == LDNS_RDF_TYPE_DNAME;
}

std::optional<std::string> ldns_parse_rdata(dns::RrType type, const std::string& text,
                                            dns::NameView origin, std::vector<std::uint8_t>& out) {
    out.clear();
    if (text.find('\0') != std::string::npos) {
        return "NUL";
    }
    const auto octets = origin.octets();
    const Rdf origin_rdf(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, octets.size(), octets.data()));
    const std::string line =
        ". 0 IN TYPE" + std::to_string(static_cast<unsigned>(type)) + " " + text;
    ldns_rr* parsed = nullptr;
    ldns_rdf* previous = nullptr;
    const auto status = ldns_rr_new_frm_str(&parsed, line.c_str(), 0, origin_rdf.get(), &previous);
    const Rdf free_previous(previous);
    const Rr rr(status == LDNS_STATUS_OK ? parsed : nullptr);
    if (status != LDNS_STATUS_OK) {
        return error_text(status);
    }
    if (ldns_rr_rd_count(rr.get()) <
        ldns_rr_descriptor_minimum(ldns_rr_descript(static_cast<std::uint16_t>(type)))) {
        return "something is missing";
    }
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
        const auto* const rdf = ldns_rr_rdf(rr.get(), i);
        const auto* const data = ldns_rdf_data(rdf);
        out.insert(out.end(), data, data + ldns_rdf_size(rdf));
    }
    return std::nullopt;
}

std::optional<std::string> ldns_check_rdata(dns::RrType type, std::span<const std::uint8_t> rdata) {
    if (!ldns_knows(type)) {
        return std::nullopt;  // RFC 3597: any octets
    }
    std::vector<std::uint8_t> wire;
    wire.reserve(rdata.size() + 2);
    wire.push_back(static_cast<std::uint8_t>(rdata.size() >> 8));
    wire.push_back(static_cast<std::uint8_t>(rdata.size()));
    wire.insert(wire.end(), rdata.begin(), rdata.end());
    const Rr rr(ldns_rr_new());
    if (!rr) {
        return "out of memory";
    }
    ldns_rr_set_type(rr.get(), static_cast<ldns_rr_type>(type));
    std::size_t at = 0;
    if (ldns_wire2rdf(rr.get(), wire.data(), wire.size(), &at) != LDNS_STATUS_OK) {
        return "the octets do not fit the type";
    }
    // ldns follows compression pointers, which rdata at rest must not have: then sizes differ.
    std::size_t size = 0;
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
        size += ldns_rdf_size(ldns_rr_rdf(rr.get(), i));
    }
    if (size != rdata.size() ||
        ldns_rr_rd_count(rr.get()) <
            ldns_rr_descriptor_minimum(ldns_rr_descript(static_cast<std::uint16_t>(type)))) {
        return "the octets do not fit the type";
    }
    return std::nullopt;
}

}  // namespace steerd::zones
