FROM continuumio/miniconda3
WORKDIR /app
COPY . .
RUN conda env create -f environment.yml && conda clean --all --yes
CMD ["conda", "run", "-n", "app", "python", "app.py"]
