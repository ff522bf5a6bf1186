// Writing a random configuration, part by part.
#include "random_configs.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

#include "base/rng.h"

namespace steerd::policy::testing {
namespace {

class ConfigMaker {
  public:
    explicit ConfigMaker(std::uint64_t seed) : rng_(seed) {}

    RandomConfig make() {
        out_ = "[server]\nlisten = [\"127.0.0.1:5300\"]\n";
        routes_.clear();
        names_.clear();
        if (chance(50)) {
            out_ += "location = [50.1, 8.7]\n";
        }
        make_regions();
        make_endpoints();
        make_networks();
        budget_ = 9;
        const std::string root = make_route(3);
        for (const std::string& route : routes_) {
            out_ += route;
        }
        out_ += "[zones.\"example.com\"]\nfile = \"zone\"\n[zones.\"example.com\".steer]\n";
        out_ += "www = { route = \"" + root + "\", when_all_down = \"" +
                pick({"serve-all", "nodata", "servfail"}) + "\", families = \"" +
                pick({"same", "any"}) + "\" }\n";
        return {out_, {make_latency(), make_countries(false), make_countries(true)}};
    }

  private:
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>(rng_.below(bound));
    }

    bool chance(std::uint32_t percent) { return below(100) < percent; }

    std::string pick(std::vector<std::string> words) {
        return words[below(static_cast<std::uint32_t>(words.size()))];
    }

    static std::string prefixed(char letter, std::uint32_t i) {
        return std::string(1, letter) + std::to_string(i);
    }

    void make_regions() {
        regions_ = 1 + below(4);
        const std::array<std::string, 4> places = {"[35.7, 139.7]", "[38.9, -77.4]", "[50.1, 8.7]",
                                                   "[1.3, 103.8]"};
        for (std::uint32_t i = 0; i < regions_; ++i) {
            out_ += "[regions." + prefixed('r', i) + "]\nlocation = " + places[i] + "\n";
        }
        out_ += "[probes.p]\ntype = \"tcp\"\nport = 80\n";
    }

    void make_endpoints() {
        const std::uint32_t count = 2 + below(chance(8) ? 4 : 2);
        cnames_ = chance(15);
        for (std::uint32_t i = 0; i < count; ++i) {
            names_.push_back(prefixed('e', i));
            out_ += "[endpoints." + names_.back() + "]\nregion = \"" +
                    prefixed('r', below(regions_)) + "\"\n";
            const std::string octet = std::to_string(10 * (i + 1));
            if (cnames_ && chance(40)) {
                out_ += "cname = \"" + names_.back() + ".example.net\"\n";
            } else {
                out_ += "addresses = [\"192.0.2." + octet + "\"" +
                        (chance(20) ? ", \"192.0.2." + octet + "1\"" : "") +
                        (chance(30) ? ", \"2001:db8:ff::" + octet + "\"" : "") + "]\n";
            }
            if (chance(75)) {
                out_ += "probes = [\"p\"]\n";
            }
        }
    }

    std::string network() {
        return pick({"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.128/25", "10.1.2.77/32",
                     "10.1.3.0/24", "10.128.0.0/9", "172.16.0.0/12", "0.0.0.0/0", "::/0",
                     "2001:db8::/32", "2001:db8:1::/48", "2001:db8:1:2::/64", "2001:db8:1:2::5/128",
                     "2001:db8:1:3::/64", "2001:db8:8000::/33", "2002:a01::/32", "2003::/16"});
    }

    std::string match() {
        return pick({"AS64500", "AS64501", "country:JP", "country:US", "country:DE",
                     "subdivision:US-CA", "continent:AS", "continent:NA", "continent:EU", "*", "*",
                     network(), network(), network(), network()});
    }

    void make_networks() {
        std::vector<std::string> used;
        for (std::uint32_t i = below(4); i > 0; --i) {
            const std::string prefix = network();
            if (prefix.starts_with("2002") ||
                std::find(used.begin(), used.end(), prefix) != used.end()) {
                continue;
            }
            used.push_back(prefix);
            out_ += "[[geo.networks]]\nprefix = \"" + prefix + "\"\n" +
                    pick({"country = \"JP\"\n", "country = \"US\"\n", "subdivision = \"US-CA\"\n",
                          "continent = \"EU\"\n", "asn = 64500\n", "location = [1.0, 100.0]\n"}) +
                    (chance(30) && !out_.ends_with("asn = 64500\n") ? "asn = 64501\n" : "");
        }
    }

    std::string make_latency() {
        std::string rows;
        std::vector<std::string> used;
        for (std::uint32_t i = below(8); i > 0; --i) {
            const std::string client =
                pick({network(), network(), network(), "AS64500", "country:JP", "continent:NA"});
            std::string row = client + "," + prefixed('r', below(regions_));
            if (client.starts_with("2002") ||
                std::find(used.begin(), used.end(), row) != used.end()) {
                continue;
            }
            used.push_back(row);
            rows += row + "," + pick({"10", "12", "14", "20", "31", "55"}) + "\n";
        }
        return rows;
    }

    std::string make_countries(bool v6) {
        std::string rows;
        std::uint64_t at = v6 ? 0 : 10ULL << 24;
        for (std::uint32_t i = below(5); i > 0; --i) {
            const std::uint64_t first = at + 1 + below(v6 ? 0x4000 : 0x40000);
            const std::uint64_t last = first + below(v6 ? 0x4000 : 0x400000);
            if (v6 && last > 0xFFFF) {
                break;
            }
            at = last;
            const std::string country = pick({"JP", "US", "DE", "??"});
            char text[100];
            if (v6) {
                std::snprintf(text, sizeof text,
                              "2001:db8:%x::,2001:db8:%x:ffff:ffff:ffff:ffff:ffff",
                              static_cast<unsigned>(first), static_cast<unsigned>(last));
            } else {
                std::snprintf(text, sizeof text, "%llu,%llu",
                              static_cast<unsigned long long>(first),
                              static_cast<unsigned long long>(last));
            }
            rows += std::string(text) + "," + country + "\n";
        }
        return rows;
    }

    std::string member(int depth) {
        if (depth > 1 && budget_ > 0 && chance(45)) {
            return chance(15) && !routes_.empty()
                       ? prefixed('t', below(static_cast<std::uint32_t>(routes_.size())))
                       : make_route(depth - 1);
        }
        return names_[below(static_cast<std::uint32_t>(names_.size()))];
    }

    std::string make_route(int depth) {
        --budget_;
        const std::string policy = pick({"failover", "weighted", "latency", "latency", "geo", "geo",
                                         cnames_ ? "failover" : "multivalue"});
        const bool geo = policy == "geo";
        std::vector<std::string> members;
        std::vector<std::string> used;
        for (std::uint32_t i = 1 + below(geo ? 5 : 3); i > 0; --i) {
            const std::string to = member(depth);
            const std::string with = match();
            const bool again = std::find(used.begin(), used.end(), geo ? with : to) != used.end();
            if (again) {
                continue;
            }
            used.push_back(geo ? with : to);
            std::string text = "{ to = \"" + to + "\"";
            if (geo) {
                text += ", match = \"" + with + "\"" + (chance(20) ? ", fence = true" : "");
            } else if (policy == "weighted" || policy == "multivalue") {
                text += ", weight = " + pick({"0", "1", "2", "3", "1"});
            }
            members.push_back(text + " }");
        }
        if (geo && std::find(used.begin(), used.end(), "*") == used.end() &&
            (depth == 3 || chance(50))) {
            members.push_back("{ to = \"" + member(depth) + "\", match = \"*\" }");
        }
        const std::string name = prefixed('t', static_cast<std::uint32_t>(routes_.size()));
        std::string text = "[routes." + name + "]\npolicy = \"" + policy + "\"\nmembers = [";
        for (const std::string& each : members) {
            text += each + ", ";
        }
        text += "]\n";
        if (chance(10)) {
            text += "min_available = 2\n";
        }
        if (policy == "latency") {
            text += "tolerance = \"" + pick({"0ms", "2ms", "5ms", "21ms"}) + "\"\n";
        } else if (policy == "weighted" && chance(50)) {
            text += "sticky = true\n";
        } else if (policy == "failover" && chance(15)) {
            text += "failback = \"manual\"\n";
        } else if (policy == "multivalue") {
            text += "max_answers = " + pick({"1", "2", "8"}) + "\n";
        }
        routes_.push_back(text);
        return name;
    }

    base::Rng rng_;
    std::string out_;
    std::uint32_t regions_ = 1;
    int budget_ = 0;
    bool cnames_ = false;  // then no multivalue: a CNAME stands alone
    std::vector<std::string> names_;
    std::vector<std::string> routes_;
};

}  // namespace

RandomConfig random_config(std::uint64_t seed) { return ConfigMaker(seed).make(); }

}  // namespace steerd::policy::testing
