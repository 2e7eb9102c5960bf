FROM maven:3.9-eclipse-temurin-17 AS build
COPY pom.xml /home/app/
RUN --mount=type=cache,target=/root/.m2 mvn --batch-mode dependency:go-offline -f /home/app/pom.xml
COPY src /home/app/src
RUN --mount=type=cache,target=/root/.m2 mvn -f /home/app/pom.xml clean package

FROM eclipse-temurin:17-jre
COPY --from=build /home/app/target/x.jar /usr/local/lib/x.jar
ENTRYPOINT ["java", "-jar", "/usr/local/lib/x.jar"]
