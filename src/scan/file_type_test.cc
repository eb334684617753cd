#include "scan/worker/identify/file_type.h"

#include <gtest/gtest.h>
#include <array>

#include "scan/worker/identify/text_magic.h"

namespace redoubt::scan {
namespace {

class FileTypesTest : public testing::Test {
 protected:
  void SetUp() override {
    auto types = open_file_types();
    ASSERT_TRUE(types) << types.error().message;
    types_ = *std::move(types);
  }
  std::string of(const std::string& content) { return types_->mime_type(content); }

  const std::string prose_ = [] {
    std::string text;
    while (text.size() < 700) text += "Nothing is said here that a program would read.\n";
    return text;
  }();
  std::unique_ptr<FileTypes> types_;
};

TEST_F(FileTypesTest, prose_is_plain_whatever_its_length) {
  EXPECT_EQ(of("a short note\n"), "text/plain");
  EXPECT_EQ(of(prose_), "text/plain");
  EXPECT_EQ(of(prose_ + prose_ + prose_ + prose_), "text/plain");
}

TEST_F(FileTypesTest, first_lines_tell) {
  EXPECT_EQ(of("#!/bin/sh\n" + prose_), "text/x-shellscript");
  EXPECT_EQ(of("{\\rtf1 " + prose_), "text/rtf");
  EXPECT_EQ(of("%PDF-1.7\n" + prose_), "application/pdf");
  EXPECT_EQ(of("Received: from a by b\nSubject: c\n\n" + prose_), "message/rfc822");
}

// Texts get the tests that they may pass: the beginnings of many formats, each with words that another kind of text
// has.
TEST_F(FileTypesTest, a_text_has_the_type_that_all_tests_give_it) {
  const MagicHandle all(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TOKENS));
  ASSERT_EQ(magic_load(all.get(), nullptr), 0);
  const std::array<std::string_view, 24> beginnings = {"#!/usr/bin/env python3\n",
                                                       "#!/usr/bin/perl\n",
                                                       "<?xml version='1.0'?>\n",
                                                       "<svg xmlns='x'>",
                                                       "%!PS-Adobe-3.0\n",
                                                       "BEGIN:VCARD\n",
                                                       "BEGIN:VCALENDAR\n",
                                                       "MIME-Version: 1.0\n",
                                                       "From: a@b\n",
                                                       "Return-Path: <a@b>\n",
                                                       "#include <stdio.h>\n",
                                                       "import java.util.List;\nclass A {}\n",
                                                       "-----BEGIN PGP MESSAGE-----\n",
                                                       "diff --git a b\n",
                                                       ".TH LS 1\n",
                                                       "WEBVTT\n",
                                                       "{\\rtf1",
                                                       "begin 644 a\n",
                                                       "@echo off\r\n",
                                                       "\\documentclass{article}\n",
                                                       "ISO-10303-21;\n",
                                                       "MSCF is no cabinet",
                                                       "Rar! is no archive",
                                                       "\tint main(void) { return 0; }\n"};
  const std::array<std::string, 4> ends = {"", prose_, "a = 1 < 2\n" + prose_, "\xd0\xb0\xd0\xb1 " + prose_};
  for (const std::string_view beginning : beginnings) {
    for (const std::string& end : ends) {
      const std::string text = (std::string(beginning) + end).substr(0, 512);
      EXPECT_EQ(of(text), magic_buffer(all.get(), text.data(), text.size())) << text.substr(0, 40);
    }
  }
}

// Of the one form of the database that is known: where it is another, all tests run on texts too, at their price.
TEST_F(FileTypesTest, what_libmagic_would_convert_gets_all_tests) {
  const auto texts = open_text_magic([] { return MagicHandle(magic_open(MAGIC_MIME_TYPE)); });
  ASSERT_NE(texts, nullptr);
  EXPECT_NE(texts->tests_for(prose_), nullptr);
  EXPECT_EQ(texts->tests_for("\xff\xfe" + prose_), nullptr);
  EXPECT_EQ(texts->tests_for(prose_ + "\x01"), nullptr);
}

TEST_F(FileTypesTest, the_text_before_changes_nothing) {
  for (int turn = 0; turn < 3; ++turn) {
    EXPECT_EQ(of(prose_), "text/plain");
    EXPECT_EQ(of("#!/bin/sh\n" + prose_), "text/x-shellscript");
    EXPECT_EQ(of("{\\rtf1 " + prose_), "text/rtf");
  }
}

TEST_F(FileTypesTest, markup_is_found_behind_a_preamble) {
  EXPECT_EQ(of("<!-- " + prose_ + " -->\n<html><head><title>t</title></head>"), "text/html");
  EXPECT_EQ(of(prose_ + "<html><head><title>t</title></head>"), "text/html");
}

TEST_F(FileTypesTest, json_is_read_to_its_end) {
  std::string text = "[\"start\"";
  while (text.size() < 1500) text += ", \"and another text\"";
  EXPECT_EQ(of(" \n" + text + "]"), "application/json");
}

TEST_F(FileTypesTest, binary_formats_need_more_than_the_start) {
  std::string archive(1024, '\0');
  archive.replace(257, 8, std::string("ustar\000000", 8));
  EXPECT_NE(of(archive), "text/plain");
  EXPECT_EQ(of(std::string("PK\3\4\24\0\0\0\10\0", 10) + std::string(40, '\0')), "application/zip");
}

}  // namespace
}  // namespace redoubt::scan
