package io.millrace.bench.speculation;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Tools of five fields, and schemas of many kinds, such as people publish for their tools. */
final class Schemas {
    /** A tool: its name, the JSON of its parameters, and what is asked of it. */
    record Tool(String name, String parameters, String question) {}

    private static final String[] NAMES = {
        "title",
        "city",
        "description",
        "amount",
        "currency",
        "start_date",
        "tags",
        "owner",
        "priority",
        "email",
        "unit",
        "limit",
        "path",
        "language",
        "enabled",
        "address",
        "items",
        "score",
        "kind",
        "note"
    };
    private static final String[] FORMATS = {"date", "date-time", "uuid", "email", "ipv4"};

    private Schemas() {}

    static List<Tool> fiveFieldTools() {
        return List.of(
                tool(
                        "create_calendar_event",
                        """
                        "title": {"type": "string", "maxLength": 60},
                        "start_date": {"type": "string", "format": "date"},
                        "duration_minutes": {"type": "integer", "minimum": 5, "maximum": 480},
                        "visibility": {"enum": ["public", "private", "confidential"]},
                        "send_invitations": {"type": "boolean"}""",
                        "Put a planning meeting of one hour on 2026-12-01 into my private calendar."),
                tool(
                        "search_flight_connections",
                        """
                        "departure_airport": {"type": "string", "pattern": "^[A-Z]{3}$"},
                        "destination_airport": {"type": "string", "pattern": "^[A-Z]{3}$"},
                        "departure_date": {"type": "string", "format": "date"},
                        "passenger_count": {"type": "integer", "minimum": 1, "maximum": 9},
                        "cabin_class": {"enum": ["economy", "premium_economy", "business", "first"]}""",
                        "Find a flight from LIS to OSL on 2026-12-24 for two in economy."),
                tool(
                        "update_customer_record",
                        """
                        "customer_identifier": {"type": "integer", "minimum": 1},
                        "subscription_status": {"enum": ["active", "suspended", "cancelled"]},
                        "notification_preference": {"enum": ["email", "telephone", "none"]},
                        "outstanding_balance_cents": {"type": "integer", "minimum": 0},
                        "is_business_customer": {"type": "boolean"}""",
                        "Suspend the subscription of customer 4711, a company that owes us 120 euros."));
    }

    private static Tool tool(String name, String properties, String question) {
        StringBuilder required = new StringBuilder();
        for (String line : properties.split("\n")) {
            String trimmed = line.strip();
            required.append(required.length() == 0 ? "" : ", ").append(trimmed, 0, trimmed.indexOf('"', 1) + 1);
        }
        String schema = "{\"type\": \"object\", \"properties\": {" + properties.strip() + "}, \"required\": ["
                + required + "], \"additionalProperties\": false}";
        return new Tool(name, schema, question);
    }

    /** Objects of some fields each, of all types, nested and in arrays. The same every time. */
    static List<String> many(int count) {
        Random random = new Random(6);
        List<String> schemas = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            schemas.add(object(random, 0));
        }
        return schemas;
    }

    private static String object(Random random, int depth) {
        StringBuilder properties = new StringBuilder();
        StringBuilder required = new StringBuilder();
        int begin = random.nextInt(NAMES.length);
        int fields = 2 + random.nextInt(5);
        for (int i = 0; i < fields; i++) {
            String name = '"' + NAMES[(begin + i) % NAMES.length] + '"';
            properties.append(i == 0 ? "" : ", ").append(name).append(": ").append(value(random, depth));
            if (random.nextInt(4) > 0) {
                required.append(required.length() == 0 ? "" : ", ").append(name);
            }
        }
        return "{\"type\": \"object\", \"properties\": {" + properties + "}, \"required\": [" + required
                + "], \"additionalProperties\": false}";
    }

    private static String value(Random random, int depth) {
        return switch (random.nextInt(depth < 2 ? 10 : 7)) {
            case 0, 1 -> "{\"type\": \"string\"}";
            case 2 -> "{\"type\": \"string\", \"format\": \"" + FORMATS[random.nextInt(FORMATS.length)] + "\"}";
            case 3 -> "{\"type\": \"integer\", \"minimum\": 0, \"maximum\": " + (1 + random.nextInt(5000)) + "}";
            case 4 -> "{\"type\": [\"number\", \"null\"]}";
            case 5 -> "{\"enum\": [\"low\", \"medium\", \"high\", \"v" + random.nextInt(100) + "\"]}";
            case 6 -> "{\"type\": \"boolean\"}";
            case 7 -> "{\"type\": \"array\", \"items\": " + value(random, depth + 1) + ", \"maxItems\": 5}";
            default -> object(random, depth + 1);
        };
    }
}
