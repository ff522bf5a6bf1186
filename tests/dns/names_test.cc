// Names: text and octets there and back, and held against ldns for order and equality.
#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "dns/name.h"
#include "dns/split_name.h"

namespace steerd::dns {
namespace {

struct FreeRdf {
    void operator()(ldns_rdf* rdf) const { ldns_rdf_deep_free(rdf); }
};

using Rdf = std::unique_ptr<ldns_rdf, FreeRdf>;

Name name(std::string_view text) {
    auto parsed = Name::parse(text);
    EXPECT_TRUE(parsed.ok()) << text << ": " << (parsed.ok() ? "" : parsed.error());
    return parsed.ok() ? *parsed : Name();
}

std::string error_of(std::string_view text) {
    const auto parsed = Name::parse(text);
    return parsed.ok() ? "" : parsed.error();
}

Rdf ldns_name(NameView view) {
    return Rdf(
        ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, view.octets().size(), view.octets().data()));
}

/// Any octets in labels, with few different ones so that names are often equal or near.
Name random_name(base::Rng& rng) {
    static constexpr std::string_view kOctets = "aAbBzZ@[`{-_.\\\"0\x01\xC1\xFF";
    Name result;
    for (std::uint64_t labels = rng.below(5); labels > 0; --labels) {
        std::vector<std::uint8_t> label(1 + rng.below(3));
        for (std::uint8_t& c : label) {
            c = static_cast<std::uint8_t>(kOctets[rng.below(kOctets.size())]);
        }
        if (auto longer = Name::join(label, result)) {
            result = *longer;
        }
    }
    return result;
}

TEST(Names, AreReadBelowTheirOriginUnlessAbsolute) {
    const Name origin = name("example.com.");
    EXPECT_EQ(Name::parse("www", origin)->to_text(), "www.example.com.");
    EXPECT_EQ(Name::parse("www.", origin)->to_text(), "www.");
    EXPECT_EQ(Name::parse("@", origin)->to_text(), "example.com.");
    EXPECT_EQ(Name::parse(".", origin)->to_text(), ".");
    EXPECT_EQ(name("www.example.com").to_text(), "www.example.com.");
    EXPECT_EQ(name(".").size(), 1U);
}

TEST(Names, EscapesAreReadAndWritten) {
    EXPECT_EQ(name("a\\.b.example").to_text(), "a\\.b.example.");
    EXPECT_EQ(name("a\\046b.example").to_text(), "a\\.b.example.");
    EXPECT_EQ(name("\\000\\255").to_text(), "\\000\\255.");
    EXPECT_EQ(name("\\065").to_text(), "A.");
    EXPECT_EQ(name("x\\.").to_text(), "x\\..");
    EXPECT_EQ(name("a\\ b").to_text(), "a\\032b.");
    EXPECT_EQ(name("\\@").to_text(), "\\@.");
    EXPECT_EQ(name("\\065").view().label_count(), 1U);
}

TEST(Names, MistakesAreNamed) {
    EXPECT_EQ(error_of(""), "empty name");
    EXPECT_EQ(error_of("@"), "\"@\" needs an origin");
    EXPECT_EQ(error_of("a..b"), "empty label");
    EXPECT_EQ(error_of(".a"), "empty label");
    EXPECT_EQ(error_of(".."), "empty label");
    EXPECT_EQ(error_of(std::string(64, 'a')), "label is over 63 octets");
    EXPECT_EQ(error_of(std::string(63, 'a')), "");
    for (const char* bad : {"\\", "\\1", "\\12", "\\1a2", "\\256", "\\999"}) {
        EXPECT_NE(error_of(bad).find("bad escape"), std::string::npos) << bad;
    }
}

TEST(Names, HaveAtMost255Octets) {
    std::string text;
    for (int i = 0; i < 3; ++i) {
        text += std::string(63, 'a') + ".";
    }
    EXPECT_EQ(name(text + std::string(61, 'b')).size(), 255U);
    EXPECT_EQ(error_of(text + std::string(62, 'b')), "name is over 255 octets");
    EXPECT_EQ(error_of(text + std::string(61, 'b') + ".c"), "name is over 255 octets");
    const Name longest = name(text + std::string(61, 'b'));
    EXPECT_EQ(Name::parse("c", longest).error(), "name is over 255 octets");
    EXPECT_FALSE(Name::join(std::vector<std::uint8_t>{'c'}, longest));
    EXPECT_FALSE(Name::join({}, Name()));
    EXPECT_FALSE(Name::join(std::vector<std::uint8_t>(64, 'x'), Name()));
    std::string labels;
    for (int i = 0; i < 127; ++i) {
        labels += "a.";
    }
    EXPECT_EQ(name(labels).view().label_count(), kMaxLabels);
}

TEST(Names, AreSplitWhereTheyAreRead) {
    for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{63}}) {
        for (std::size_t labels = 0; labels <= 130; ++labels) {
            std::vector<std::uint8_t> data;
            for (std::size_t i = 0; i < labels; ++i) {
                data.push_back(static_cast<std::uint8_t>(size));
                data.insert(data.end(), size, 'a');
            }
            data.push_back(0);
            for (std::size_t rest = 0; rest < 3; ++rest, data.push_back('x')) {
                const auto view = NameView::parse_wire(data);
                SplitName split;
                ASSERT_EQ(split.read(data), view ? view->size() : 0) << labels << " of " << size;
                if (view) {
                    ASSERT_EQ(split.label_count(), labels);
                }
            }
        }
    }
    SplitName none;
    EXPECT_EQ(none.read({}), 0U);
}

TEST(Names, OnWireEndWhereTheyEnd) {
    const std::vector<std::uint8_t> data{1, 'a', 2, 'b', 'c', 0, 9, 9};
    const auto view = NameView::parse_wire(data);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->size(), 6U);
    EXPECT_EQ(view->to_text(), "a.bc.");
    EXPECT_FALSE(NameView::parse_wire(std::span(data).first(5)));
    EXPECT_FALSE(NameView::parse_wire({}));
    EXPECT_FALSE(NameView::parse_wire(std::vector<std::uint8_t>{0xC0, 0x0C, 0}));
    EXPECT_FALSE(NameView::parse_wire(std::vector<std::uint8_t>{0x40, 0, 0}));
    std::vector<std::uint8_t> long_name(256, 1);
    long_name.back() = 0;
    for (std::size_t i = 0; i + 2 < long_name.size(); i += 2) {
        long_name[i + 1] = 'x';
    }
    long_name[254] = 0;
    EXPECT_TRUE(NameView::parse_wire(long_name));
    long_name[254] = 1;
    long_name.push_back(0);
    EXPECT_FALSE(NameView::parse_wire(long_name)) << "257 octets";
}

TEST(Names, KnowTheirAncestors) {
    const Name www = name("www.Example.com.");
    EXPECT_TRUE(www.view().is_at_or_below(name("eXample.com")));
    EXPECT_TRUE(www.view().is_at_or_below(www));
    EXPECT_TRUE(www.view().is_at_or_below(Name()));
    EXPECT_FALSE(name("example.com").view().is_at_or_below(www));
    EXPECT_FALSE(name("wwwexample.com").view().is_at_or_below(name("example.com")));
    // the octets of the ancestor stand at the end, but not at a label's start
    EXPECT_FALSE(name("x\\007example.com").view().is_at_or_below(name("example.com")));
    EXPECT_EQ(www.view().suffix(2).to_text(), "Example.com.");
    EXPECT_TRUE(www.view().suffix(0).is_root());
    EXPECT_EQ(www.view().parent().parent().to_text(), "com.");
    EXPECT_TRUE(name("*.example").view().is_wildcard());
    EXPECT_FALSE(name("**.example").view().is_wildcard());
    EXPECT_FALSE(name("a.*").view().is_wildcard());
    EXPECT_FALSE(Name().view().is_wildcard());
    EXPECT_TRUE(Name().view().first_label().empty());
    EXPECT_EQ(www.view().first_label().size(), 3U);
}

TEST(Names, AreSubstitutedBelowADname) {
    const Name from = name("old.example.");
    EXPECT_EQ(Name::substitute(name("a.b.OLD.example"), from, name("new."))->to_text(), "a.b.new.");
    EXPECT_EQ(Name::substitute(from, from, Name())->to_text(), ".");
    const std::string wide = std::string(63, 'a') + "." + std::string(63, 'b');
    const Name target = name(wide + "." + std::string(63, 'c') + "." + std::string(57, 'd'));
    EXPECT_EQ(target.size(), 251U);
    EXPECT_EQ(Name::substitute(name("123.old.example"), from, target)->size(), 255U);
    EXPECT_FALSE(Name::substitute(name("1234.old.example"), from, target));
}

TEST(Names, CompareHashAndOrderWithoutCaseOnlyForLetters) {
    EXPECT_EQ(name("WWW.example"), name("www.EXAMPLE"));
    EXPECT_EQ(hash(name("WWW.example"), 7), hash(name("www.EXAMPLE"), 7));
    EXPECT_NE(hash(name("www.example"), 7), hash(name("www.example"), 8));
    EXPECT_NE(name("[.example"), name("{.example"));
    EXPECT_NE(name("@x.example"), name("`x.example"));
    EXPECT_NE(name("\\193"), name("\\225")) << "letters of other alphabets keep their case";
    for (int c = 0; c < 256; ++c) {  // every octet, in the eight-at-once path and in the tail
        const std::vector<std::uint8_t> label(11, static_cast<std::uint8_t>(c));
        const std::vector<std::uint8_t> small(11, lower(static_cast<std::uint8_t>(c)));
        const Name big_name = *Name::join(label, Name());
        const Name small_name = *Name::join(small, Name());
        EXPECT_EQ(std::memcmp(big_name.lowered().view().octets().data(),
                              small_name.view().octets().data(), small_name.size()),
                  0)
            << c;
        EXPECT_EQ(big_name, small_name);
        EXPECT_EQ(hash(big_name, 1), hash(small_name, 1));
    }
}

TEST(Names, OrderIsThatOfRfc4034) {
    const std::vector<std::string> sorted{"example",         "a.example",      "yljkjljk.a.example",
                                          "Z.a.example",     "zABC.a.EXAMPLE", "z.example",
                                          "\\001.z.example", "*.z.example",    "\\200.z.example"};
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        for (std::size_t j = 0; j < sorted.size(); ++j) {
            EXPECT_EQ(name(sorted[i]) <=> name(sorted[j]), i <=> j)
                << sorted[i] << " " << sorted[j];
        }
    }
}

TEST(Names, AgreeWithLdnsOnRandomPairs) {
    base::Rng rng(1);
    int equal = 0;
    for (int i = 0; i < 50000; ++i) {
        const Name a = random_name(rng);
        const Name b = random_name(rng);
        const Rdf la = ldns_name(a);
        const Rdf lb = ldns_name(b);
        const int order = ldns_dname_compare(la.get(), lb.get());
        ASSERT_EQ(a <=> b, order <=> 0) << a.to_text() << " " << b.to_text();
        ASSERT_EQ(a == b, order == 0) << a.to_text() << " " << b.to_text();
        ASSERT_EQ(a.view().label_count(), ldns_dname_label_count(la.get()));
        if (a != b) {  // ldns tells equal names apart by case here
            ASSERT_EQ(a.view().is_at_or_below(b), ldns_dname_is_subdomain(la.get(), lb.get()))
                << a.to_text() << " " << b.to_text();
        }
        equal += a == b ? 1 : 0;
    }
    EXPECT_GT(equal, 100) << "the generator no longer makes equal names";
}

TEST(Names, TextIsReadBackByUsAndByLdns) {
    base::Rng rng(2);
    for (int i = 0; i < 20000; ++i) {
        const Name a = random_name(rng);
        const std::string text = a.to_text();
        const Name again = name(text);
        ASSERT_TRUE(std::ranges::equal(again.view().octets(), a.view().octets())) << text;
        const Rdf rdf(ldns_dname_new_frm_str(text.c_str()));
        ASSERT_TRUE(rdf) << text;
        ASSERT_EQ(ldns_rdf_size(rdf.get()), a.size()) << text;
        ASSERT_EQ(std::memcmp(ldns_rdf_data(rdf.get()), a.view().octets().data(), a.size()), 0)
            << text;
    }
}

}  // namespace
}  // namespace steerd::dns
